// Offloads of network interfaces, as ethtool(8) names them.
//
// All that the kernel answered is one text, a line an interface: its name, then each feature that is switched
// on,
// "-" before those that are off and could be on:
//
//   ens4 tx-scatter-gather tx-checksum-ip-generic rx-gro -rx-gro-list
#pragma once

#include "base/arena.h"
#include "base/text.h"

/* Asks the kernel for the features of every interface with a device. False: it does not answer such
 * questions. */
bool ethtool_ask(struct text *out);

/* The words of one interface; *on stays NULL when the text has no line for it. */
void ethtool_find(const char *text, const char *interface, struct arena *arena, const char **on,
                  const char **off);

/* The same text of what `ethtool -k` prints of each interface; a text of that kind already stays what it is.
 */
void ethtool_of_program(const char *printed, struct text *out);
