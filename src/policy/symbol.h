// What an image says of one configuration symbol, and how that is put into words.
#pragma once

#include "policy/outcome.h"
#include "policy/predicate.h"

struct symbol_reading {
	bool known;
	bool present;       /* the configuration has a line for it */
	const char *value;  /* "y", "m", "n", a number, a string; NULL: not known */
	const char *reason; /* why it is not known, or what proves it in place of a line; NULL */
	struct place place;
};

/*
 * Looks a symbol up: in the configuration, else by what its module (NULL: it has none) proves. Absence means
 * "n" in a whole configuration only.
 */
struct symbol_reading symbol_read(const struct context *context, const char *symbol, const char *module);

/* The module that tells of a symbol which makes none by itself; NULL: none does. */
const char *symbol_witness(const char *symbol);

/* The module asked for by name; NULL: nothing is known of it. */
const struct kernel_module *module_find(const struct kernel *kernel, const char *name);

/* "CONFIG_X=m", "CONFIG_X is not set", "CONFIG_X is absent". */
const char *symbol_text(const char *symbol, const struct symbol_reading *reading, struct arena *arena);

/* "m", "n", "absent"; "" when not known. */
const char *symbol_found(const struct symbol_reading *reading);

/* "SCSI_VIRTIO=y", "SERIAL_8250_NR_UARTS=4 or more". */
const char *symbol_wanted(const struct option *option, struct arena *arena);
