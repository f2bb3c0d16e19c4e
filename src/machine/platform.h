// Who the guest is on the network of the reference machine: what DHCP, the metadata server and DNS tell it
// alike.
#pragma once

#include <stdint.h>

/* IPv4 addresses as numbers; network.h has them as text. */
#define PLATFORM_ADDRESS  UINT32_C(0x0a800002) /* 10.128.0.2 */
#define PLATFORM_GATEWAY  UINT32_C(0x0a800001) /* 10.128.0.1 */
#define PLATFORM_METADATA UINT32_C(0xa9fea9fe) /* 169.254.169.254 */
#define PLATFORM_PREFIX   20                   /* of the subnet 10.128.0.0 */

#define PLATFORM_NAME    "slipway"
#define PLATFORM_ZONE    "us-central1-a"
#define PLATFORM_PROJECT "slipway-project"
#define PLATFORM_NUMBER  "123456789012"
#define PLATFORM_DOMAIN  PLATFORM_ZONE ".c." PLATFORM_PROJECT ".internal"
#define PLATFORM_HOST    PLATFORM_NAME "." PLATFORM_DOMAIN
#define PLATFORM_SERVER  "metadata.google.internal"
