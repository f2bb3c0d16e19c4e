// GRUB's environment block: the file that keeps saved_entry and next_entry between boots.
// Format: "Environment block" in the GNU GRUB manual, grub-editenv(1).
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/span.h"

/* grub-editenv makes blocks of this size; GRUB reads other sizes too. */
#define GRUBENV_SIZE 1024

struct grubenv_entry {
	const char *name;
	const char *value;
	uint64_t line;
};

struct grubenv {
	LIST(struct grubenv_entry) entries;
};

/* ERROR_CORRUPT when the file is no environment block: GRUB then loads nothing from it. */
NODISCARD bool grubenv_parse(struct span file, struct arena *arena, struct grubenv *out, struct error *error);
