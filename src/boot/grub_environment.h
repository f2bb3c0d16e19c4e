// Variables of a GRUB script: what is known of their values, and where they come from.
#pragma once

#include "base/arena.h"
#include "base/place.h"

#define GRUB_VARIABLES_MAX 512

struct grub_source;

struct grub_value {
	const char *text;    /* never NULL */
	const char *unknown; /* why the text cannot be relied on; NULL: it can */
	const char *origin;  /* "saved_entry of grubenv"; NULL: the script's own */
	struct place place;  /* the line that set it; its text is filled in when it is reported */
	const struct grub_source *source; /* of that line; NULL: place.text is there already */
};

struct grub_variable {
	const char *name;
	struct grub_value value;
	bool set;
	bool exported; /* seen inside submenus and by configfile */
};

struct grub_environment {
	LIST(struct grub_variable) variables;
};

/* NULL when it is not set. */
const struct grub_value *grub_environment_get(const struct grub_environment *environment, const char *name);

/* Keeps the export flag of a variable that exists; false once there are GRUB_VARIABLES_MAX. */
bool grub_environment_set(struct grub_environment *environment, const char *name, struct grub_value value,
                          struct arena *arena);
void grub_environment_unset(struct grub_environment *environment, const char *name);
void grub_environment_export(struct grub_environment *environment, const char *name, struct arena *arena);

/* A copy that can be changed on its own; of the exported variables alone when `exported`. */
struct grub_environment grub_environment_copy(const struct grub_environment *environment, bool exported,
                                              struct arena *arena);
