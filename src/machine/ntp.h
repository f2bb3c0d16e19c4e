// The platform's time server, as a function of bytes.
#pragma once

#include <time.h>

#include "base/text.h"

#define NTP_SIZE 48

/*
 * The answer to a request that came at `received` (real time, as `sent`) and is answered at `sent`. False: it
 * is no client's request.
 */
NODISCARD bool ntp_answer(struct span request, struct timespec received, struct timespec sent,
                          struct text *out);
