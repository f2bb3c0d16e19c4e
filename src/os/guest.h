// What the observers of guest settings share. Each subject is one file with its observers; guest.c has the
// table of them all.
#pragma once

#include "os/lines.h"
#include "os/system.h"

#define GUEST_FILE_MOST ((size_t)1 << 20)

/* What one observer has used up and run into. */
struct guest_effort {
	unsigned files_left; /* files and directories that it may still open: includes can fan out */
	const char *trouble; /* something was there and could not be read; NULL */
};

/* What the folders TARGET.wants and TARGET.requires name. */
struct guest_wants {
	bool listed;
	LIST(const char *) paths;
	const char *trouble; /* not all of it could be listed; NULL */
};

/* One image under observation. */
struct guest {
	const struct tree *tree;
	const struct os *os;
	struct arena *arena;
	struct guest_wants *wants;   /* of all observers; listed when the first asks */
	struct guest_effort *effort; /* with trouble, whatever the observer says becomes UNKNOWN */
};

/* Fills state, value, reason and places; the name is set by the caller. */
typedef void observe_fn(const struct guest *guest, struct observation *out);

observe_fn observe_ntp, observe_timezone;
observe_fn observe_dhcp, observe_persistent_net_rules, observe_firewall;
observe_fn observe_root_ssh, observe_host_keys;
observe_fn observe_irqbalance, observe_environment, observe_machine_id, observe_serial_getty;

/* Sets all of it; `value` may be NULL. */
void guest_say(struct observation *out, enum answer state, const char *value, const char *reason);
void guest_evidence(const struct guest *guest, struct observation *out, struct place place);

/* Opens a text file; it is empty when it is not there or not readable. */
struct file_lines guest_open(const struct guest *guest, const char *path);
/* Does the path lead to something? Fills its place (may be NULL). */
bool guest_finds(const struct guest *guest, const char *path, struct place *place);
/* What a symlink names, unresolved; false when the path is no link. */
bool guest_read_link(const struct guest *guest, const char *path, char *target, size_t capacity);
/* The first of several paths that exists; the list ends with NULL. */
const char *guest_finds_any(const struct guest *guest, const char *const *paths, struct place *place);

/* guest_units.c: is a systemd unit masked in /etc? */
bool guest_unit_masked(const struct guest *guest, const char *unit, struct place *place);
/* Does a target want the unit, and is it not masked? */
bool guest_unit_enabled(const struct guest *guest, const char *unit, struct place *place);

/* Files ending in `suffix` of several directories, the first directory winning a name; paths sorted by name.
 */
struct names guest_drop_ins(const struct guest *guest, const char *const *directories, const char *suffix);
/* Paths that match a pattern whose last component alone holds wildcards. */
struct names guest_glob(const struct guest *guest, const char *pattern);

/* "Key=Value" of a systemd-style file; false for sections and other lines. */
bool guest_assignment(struct span line, struct span *key, struct span *value);
/* Adds a word to a blank-separated list unless it is there. */
void guest_add_word(struct text *list, struct span word);
