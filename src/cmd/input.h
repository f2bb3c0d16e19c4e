// What a user names as an input, opened.
#pragma once

#include "base/error.h"
#include "disk/input.h"

/*
 * Opens a file, a device, a directory or a pipe for reading; "-" is the standard input. *source says which it
 * is. -1: *error says what to do about it.
 */
NODISCARD int input_open(const char *name, enum input_source *source, struct error *error);

/* The running machine, by its root directory. */
NODISCARD int input_open_machine(struct error *error);
