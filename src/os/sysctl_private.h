// How a prediction of sysctls is put together: files are found (sysctl_files.c), an applier turns them into a
// script of writes (sysctl_systemd.c, sysctl_procps.c, sysctl_busybox.c), a model of the kernel carries the
// script out (sysctl_kernel.c), and what interfaces make of it is worked out last (sysctl_effective.c).
#pragma once

#include "os/sysctl.h"

/* Files and lines longer than these are nothing that a distribution ships. */
#define SYSCTL_FILE_MOST ((size_t)4 << 20)
#define SYSCTL_KEY_MOST  4095 /* PATH_MAX: a longer key names no file under /proc/sys */

/* A file that an applier reads. */
struct sysctl_file {
	const char *name;    /* its last component, by which files mask and sort each other */
	struct span content; /* empty for a mask: an empty file, /dev/null, a dangling link */
	struct place place;
};

struct sysctl_files {
	LIST(struct sysctl_file) items; /* of the sysctl.d directories; one of each name, sorted by name */
	bool has_main;
	struct sysctl_file main; /* /etc/sysctl.conf itself */
};

/* Where systemd and procps look, the first wins; ends with NULL. */
extern const char *const sysctl_directories[];

/* Finds and loads them in a tree; `directories` as above. Fails only when something there is not readable. */
NODISCARD bool sysctl_files_load(const struct tree *tree, const char *const *directories,
                                 struct budget *budget, struct arena *arena, struct sysctl_files *out,
                                 struct error *error);

/* One line that took part. */
struct sysctl_line {
	const char
		*path; /* below /proc/sys, without needless slashes: "net/ipv4/ip_forward"; may be a glob */
	const char *value; /* NULL: an exclusion, the line "-path" */
	bool odd_slashes;  /* as written it had doubled or leading slashes: procps does not see it as that key
	                    */
	struct place place;
};

/* What an applier writes, in its order. */
struct sysctl_script {
	LIST(struct sysctl_line) lines;
	bool globs;                       /* are patterns expanded? */
	bool slashes_matter;              /* are keys with odd slashes other keys to patterns? */
	const struct sysctl_file *unread; /* /etc/sysctl.conf where it is there and nothing reads it; NULL */
};

/* Each parses all files into the script. False with ERROR_LIMIT when the budget is used up. */
NODISCARD bool sysctl_script_systemd(const struct sysctl_files *files, struct budget *budget,
                                     struct arena *arena, struct sysctl_script *out, struct error *error);
/* `globs`: procps 4, which understands patterns and exclusions; else 3.3, which does not. */
NODISCARD bool sysctl_script_procps(const struct sysctl_files *files, bool globs, struct budget *budget,
                                    struct arena *arena, struct sysctl_script *out, struct error *error);
NODISCARD bool sysctl_script_busybox(const struct sysctl_files *files, struct budget *budget,
                                     struct arena *arena, struct sysctl_script *out, struct error *error);

/* Is it a pattern: does it hold '*', '?' or '['? */
bool sysctl_is_glob(const char *path);
/*
 * A key as all of them write it, "net.ipv4.conf.eth0/5.rp_filter" or "net/ipv4/conf/eth0.5/rp_filter", as a
 * path. Dots and slashes change places when the first of them is a dot.
 */
char *sysctl_path(struct span key, struct arena *arena, bool *odd_slashes);
/* The other way: "net/ipv4/ip_forward" becomes "net.ipv4.ip_forward". */
char *sysctl_key(const char *path, struct arena *arena);
/* Appends a line with its place; `text` is the whole line. */
void sysctl_script_add(struct sysctl_script *script, const struct sysctl_file *file, uint64_t number,
                       struct span text, struct span key, const struct span *value, struct arena *arena);

/* One key of the modelled kernel. */
struct sysctl_cell {
	const char *path;
	const char *value; /* NULL: not known */
	enum sysctl_source source;
	struct place place;
	const char *reason;
	const char *remedy; /* see struct sysctl */
	bool set;           /* written by name: for an interface, conf.default no longer reaches it */
};

struct sysctl_kernel {
	const struct sysctl_system *system;
	struct arena *arena;
	struct sysctl_cell *cells; /* sorted by path */
	size_t count;
	const char *interface; /* what messages call the cells of SYSCTL_INTERFACE */
};

/* The interface that stands for all: predictions say what it does. */
#define SYSCTL_INTERFACE "eth0"

/* Gives every path a cell with its default; `paths` need not be sorted or unique. */
void sysctl_kernel_start(const struct sysctl_system *system, const struct names *paths, struct arena *arena,
                         struct sysctl_kernel *out);
struct sysctl_cell *sysctl_kernel_cell(const struct sysctl_kernel *kernel, const char *path);
/* Writes as a process would: range, refusals and side effects included. */
void sysctl_kernel_write(struct sysctl_kernel *kernel, struct sysctl_cell *cell, const char *value,
                         enum sysctl_source source, const struct place *place);

/* Adds to a cell's reason, "; " between. */
void sysctl_cell_remark(struct arena *arena, struct sysctl_cell *cell, const char *remark);

/* The paths that a prediction needs besides the wanted ones: they change each other. */
void sysctl_kernel_paths(struct arena *arena, struct names *paths);

/* The compiled-in value of one key on this kernel; fills value, source and reason. */
void sysctl_default(const struct sysctl_system *system, const char *path, struct arena *arena,
                    struct sysctl_cell *cell);

/* Bounds of a key that holds one number; false for a key that we do not know. */
bool sysctl_number_range(const struct kernel *kernel, const char *path, int64_t *least, int64_t *most);
/* Reads a number as the kernel does: base by prefix, ended by white space or the end. */
bool sysctl_number(const char *text, int64_t *out);

/* How the value of conf.all and that of the interface make one. */
enum sysctl_combine {
	SYSCTL_COMBINE_NONE, /* the interface's own counts alone */
	SYSCTL_COMBINE_AND,
	SYSCTL_COMBINE_OR,
	SYSCTL_COMBINE_MAX,
	SYSCTL_COMBINE_REDIRECTS, /* AND where the interface forwards, else OR */
};

struct sysctl_interface_key {
	const char *name; /* "rp_filter" */
	enum sysctl_combine combine;
	const char *all, *initial; /* compiled-in values of conf.all and of conf.default */
};

/* Ends with name NULL. */
extern const struct sysctl_interface_key sysctl_interface_keys[];
/* The row of "net/ipv4/conf/SCOPE/NAME", and its scope ("all"); NULL for another path. */
const struct sysctl_interface_key *sysctl_interface_key(const char *path, const char **scope, size_t *length);

/* Fills effective, effective_place and the reason of a finished prediction. */
void sysctl_effective(const struct sysctl_kernel *kernel, const char *path, struct arena *arena,
                      struct sysctl *out);
