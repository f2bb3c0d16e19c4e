// Private to the GRUB script evaluator: the state of a running script, shared by its parts.
#pragma once

#include "boot/grub.h"
#include "boot/grub_environment.h"
#include "boot/grub_parser.h"

#define GRUB_CONFIG_MAX    ((size_t)4 << 20) /* bytes of one configuration file */
#define GRUB_WORK_MAX      200000            /* commands, plus 1 for each 64 bytes of their words */
#define GRUB_VALUE_MAX     16384             /* bytes of one word */
#define GRUB_DEPTH_MAX     24                /* functions, sourced files and submenus inside each other */
#define GRUB_ENTRIES_MAX   512
#define GRUB_PROBLEMS_MAX  64
#define GRUB_FUNCTIONS_MAX 1000

/* The line that was looked for last: the next one is mostly not far behind it. */
struct grub_cursor {
	uint64_t line;    /* from 1 on; 0: none yet */
	struct span rest; /* the text from that line on */
};

/* A configuration file that is being run; its text is needed to quote lines. */
struct grub_source {
	const char *path;
	uint64_t partition;
	struct span text;
	struct grub_cursor *cursor; /* NULL: lines are looked for from the begin */
};

struct grub_argument {
	const char *text;
	const char *unknown; /* why the text cannot be relied on; NULL */
	/* A variable's value that it ends with, from the offset value_at on; NULL. Valid until the next
	 * `set`. */
	const struct grub_value *value;
	size_t value_at;
};

struct grub_arguments {
	LIST(struct grub_argument) list;
};

struct grub_path {
	enum answer known;   /* UNKNOWN: the device is one that we cannot tie to this disk; NO: not there */
	const char *unknown; /* why it is UNKNOWN */
	uint64_t partition;
	const char *path;
};

struct grub_function {
	const char *name;
	const struct grub_node *body;
	const struct grub_source *source;
	const char *maybe; /* why it is not sure that it exists in this form; NULL */
};

struct grub_menu_entry {
	const char *title, *id;
	bool submenu;
	bool restricted;   /* asks for a password when `superusers` is set */
	bool opaque;       /* stands for any number of entries that could not be read */
	const char *maybe; /* why it is not sure to be in the menu; NULL */
	const struct grub_node *body;
	const struct grub_source *source;
	uint64_t line;
	struct grub_arguments parameters; /* title first */
};

struct grub_menu {
	LIST(struct grub_menu_entry) entries;
};

/* What `linux` and `initrd` have loaded in the entry that is being run. */
struct grub_load {
	struct boot_file kernel;
	LIST(struct boot_file) initrds;
	const char *command_line;
	const char *command; /* the command that loaded it: "linux", "chainloader"; NULL: nothing */
	const char *unknown; /* why all this cannot be relied on; NULL */
	struct place place;
};

/* Where running goes on behind a command. */
enum grub_flow {
	GRUB_FLOW_ON,
	GRUB_FLOW_BREAK,
	GRUB_FLOW_CONTINUE,
	GRUB_FLOW_RETURN,
	GRUB_FLOW_STOP, /* the script is over: exit, boot, a menu that was shown */
	GRUB_FLOW_FAIL, /* a limit: machine->error is set */
};

struct grub_machine {
	const struct grub_disk *disk;
	const struct grub_start *start;
	struct budget *budget;
	struct arena *arena;
	struct boot *out;
	struct error *error;

	struct grub_environment environment;
	struct grub_btrfs btrfs;
	struct grub_menu *menu;
	struct grub_path shown; /* the file whose menu `configfile` has opened; path NULL: none */
	struct grub_load *load; /* NULL outside entries */
	bool blscfg;            /* it was run: this is Fedora's GRUB */
	const char *no_blscfg;  /* why it could not be run; NULL */
	LIST(struct grub_function) functions;
	struct grub_arguments parameters; /* $1, $2, ... */
	const struct grub_source *source;
	uint64_t line; /* of the running command */

	int status;                 /* $? */
	const char *status_unknown; /* why it is not known; NULL */
	const char *maybe;          /* why it is not sure that this command runs at all; NULL */
	const char *tainted;        /* why that holds for everything from here on; NULL */
	const char *broken; /* a statement that could not be parsed: it may have done anything; NULL */

	enum grub_flow flow;
	uint64_t breaks; /* loops that a break or continue still has to leave */
	unsigned loops;  /* that are running */
	unsigned depth;
	uint64_t work;
};

/* grub_eval.c */
void grub_run_list(struct grub_machine *machine, const struct grub_node *list);
void grub_run_body(struct grub_machine *machine, const struct grub_node *body,
                   const struct grub_source *source, const struct grub_arguments *parameters);
/* Runs a whole file in the current environment and menu. */
bool grub_run_file(struct grub_machine *machine, uint64_t partition, const char *path);
/* Runs statements that are at hand, from "(embedded)". */
void grub_run_text(struct grub_machine *machine, const struct grub_source *source);
bool grub_spend(struct grub_machine *machine, uint64_t work);

/* grub_btrfs.c: takes up what the variable btrfs_relative_path says now. */
void grub_btrfs_observe(struct grub_machine *machine);

/* grub_words.c */
void grub_expand(struct grub_machine *machine, const struct grub_word *words, size_t count,
                 struct grub_arguments *out);

/* grub_test.c: the value of a [ ... ] or test; `arguments` without the brackets. */
enum answer grub_test(struct grub_machine *machine, const struct grub_argument *arguments, size_t count,
                      const char **unknown);

/* grub_commands.c */
typedef void grub_command_fn(struct grub_machine *machine, const struct grub_arguments *arguments,
                             const struct grub_node *node);
/* NULL: no command of GRUB that we know. */
grub_command_fn *grub_command_find(const char *name);
/* Sets a variable as the running line does; `unknown` (NULL) is why its text cannot be relied on. */
void grub_set(struct grub_machine *machine, const char *name, const char *text, const char *unknown);
/* NAME=VALUE, at the `equals` of an argument: the origin of VALUE is kept. */
void grub_assign(struct grub_machine *machine, const struct grub_argument *argument, size_t equals);
void grub_finish(struct grub_machine *machine, bool success);
void grub_finish_unknown(struct grub_machine *machine, const char *reason);

/* grub_files.c: devices, paths, and the commands that need the disk */
struct grub_path grub_resolve(struct grub_machine *machine, const char *name);
enum answer grub_look(struct grub_machine *machine, const char *name, enum grub_file_kind *kind);
const char *grub_device_name(struct grub_machine *machine, uint64_t partition);
grub_command_fn grub_do_btrfs_mount;
grub_command_fn grub_do_search, grub_do_load_env, grub_do_source, grub_do_configfile;

/* grub_load.c */
grub_command_fn grub_do_linux, grub_do_initrd, grub_do_other_loader;

/* grub_bls.c: entries from the files of /loader/entries */
grub_command_fn grub_do_blscfg;

/* grub_bls_version.c: is there no such command, neither in the image nor as a module? That ends it, with a
 * problem. *on_esp: it is one that looks on the ESP as well. */
bool grub_blscfg_missing(struct grub_machine *machine, bool *on_esp);
/* For such a one: where there are entries beside those of `root`, the menu is not known. */
void grub_blscfg_note_esp(struct grub_machine *machine, const struct grub_path *root);

/* grub_menu.c */
grub_command_fn grub_do_menuentry;
void grub_add_opaque(struct grub_machine *machine, const char *reason);
/* Room for one more entry of the menu; NULL when there are too many (machine->flow says so). */
struct grub_menu_entry *grub_add_entry(struct grub_machine *machine);
/* Runs every entry of the menu and finds the default one. */
void grub_menu_run(struct grub_machine *machine);

/* Reasons and evidence: grub_report.c */
const char *grub_reason(struct grub_machine *machine, const char *format, ...) PRINTF(2, 3);
/* Costs work, by the lines between this one and the one before. */
struct place grub_place(struct grub_machine *machine, const struct grub_source *source, uint64_t line);
void grub_problem(struct grub_machine *machine, const char *code, const char *message, struct place place);
long grub_number(const char *text, const char **end); /* as GRUB's strtoul with base 0; end == text: none */
