// The lists of modules that kmod's depmod and the kernel's build leave in /lib/modules/VERSION:
//   modules.builtin  one path a line: what is linked into the kernel
//   modules.dep      "path: path path ...": what is a file, and the files that must be loaded before it
// Paths are relative to that folder. A module's name is its file's without folder and suffix; '-' is '_'.
#pragma once

#include "base/arena.h"
#include "base/budget.h"
#include "base/span.h"

/* One line. All spans lie in the list's text. */
struct module_line {
	struct span path, name; /* "kernel/fs/crc-itu-t.ko.xz", "crc-itu-t" */
	struct span needs;      /* the paths behind the colon */
	struct span text;
	uint64_t number;
	uint32_t next; /* 1 + index of the next line of its bucket */
};

struct module_list {
	LIST(struct module_line) lines;
	uint32_t *buckets; /* 1 + index of a line */
	size_t mask;
};

/* Without folder and suffix; false for what is no module's file. */
NODISCARD bool module_name_of(struct span path, struct span *name);
/* Are they the same but for '-' and '_'? */
bool module_same_name(struct span a, struct span b);
/* In the spelling of /proc/modules, with '_'. */
char *module_plain_name(struct span name, struct arena *arena);
uint32_t module_hash(struct span name);

/* Splits the lines of either file; `text` must outlive the list. Costs a step a line. */
NODISCARD bool module_list_parse(struct span text, struct budget *budget, struct arena *arena,
                                 struct module_list *out, struct error *error);
/* The first line of that module, NULL when there is none. Costs a step for each line that it looks at. */
NODISCARD bool module_list_find(const struct module_list *list, struct span name, struct budget *budget,
                                const struct module_line **out, struct error *error);
/* Takes the next path off the front of *rest. */
NODISCARD bool module_next_path(struct span *rest, struct span *path);
