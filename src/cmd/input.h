// What a user names as an input, opened.
#pragma once

#include "base/error.h"
#include "disk/input.h"

/*
 * Opens a file, a device, a directory or a pipe for reading; "-" is the standard input. *source says which it
 * is. -1: *error says what to do about it.
 */
NODISCARD int input_open(const char *name, enum input_source *source, struct error *error);

/* Which file it is, and in which state: between two that are the same nobody has written to it. */
struct input_identity {
	uint64_t device, inode;
	uint64_t size;    /* bytes; 0, like the rest, for what is no file: a disk is always the same */
	int64_t modified; /* nanoseconds since 1970 */
};
struct input_identity input_identify(int descriptor);
bool input_is_same(const struct input_identity *a, const struct input_identity *b);

/* The running machine, by its root directory. */
NODISCARD int input_open_machine(struct error *error);
