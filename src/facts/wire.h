// The facts on their way from the worker to its parent: a length, a checksum-free tagless encoding driven by
// the schema. The parent trusts none of it: lengths, counts, enum values, UTF-8 and nesting are checked.
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "facts/facts.h"

#define WIRE_MOST (48u << 20) /* largest message that a parent accepts, bytes */

/* Appends one message. All strings are made printable here: this is where text leaves the worker. */
void wire_encode(const struct facts *facts, struct text *out);

/*
 * Decodes the last whole message of a stream of messages (checkpoints); a torn one at the end is ignored.
 * ERROR_CORRUPT for a message that breaks its own rules, ERROR_TRUNCATED when there is no whole one.
 */
NODISCARD bool wire_decode(struct span stream, struct arena *arena, struct facts *out, struct error *error);
