// A kernel of the image: its configuration, its modules, and what its initramfs carries.
#pragma once

#include "base/place.h"
#include "base/text.h"
#include "fs/tree.h"

/* One line of a kernel configuration. */
struct config_symbol {
	const char *symbol; /* without CONFIG_ */
	const char *value;  /* "y", "m", "n" (for "is not set"), a number, a string without its quotes */
	uint64_t line;
	const char *text; /* the line as it stands */
};

/* The configuration, as far as it was asked for. A symbol that has no line is not listed. */
struct kernel_config {
	enum answer complete; /* YES: a full .config (its header says so): absence means "n" or unknown to it;
	                         NO: a fragment; UNKNOWN: there is no configuration */
	const char *source;   /* "/boot/config-6.1.0", "IKCONFIG in /boot/vmlinuz-6.1.0"; NULL: none */
	const char *version;  /* from the header line, "6.1.0" ; NULL */
	struct place place;   /* of the file */
	const char *reason;   /* why there is none; NULL */
	LIST(struct config_symbol) symbols; /* in the order of the file */
};

/*
 * Parses configuration text and keeps the symbols in `wanted` (all of them when wanted is NULL). Of a symbol
 * with two lines the last counts, as for the kernel's own conf.
 */
void kernel_config_parse(struct span text, const struct names *wanted, struct arena *arena,
                         struct kernel_config *out);

/*
 * Is a text, of which `head` is the beginning, a kernel configuration or a fragment of one? Every line of it
 * is a comment, empty or a setting. *other is the title of what else its header names ("U-Boot 2023.01
 * Configuration"), in the arena; NULL.
 */
bool kernel_config_matches(struct span head, struct arena *arena, const char **other);

/* The value, NULL when the file has no line for it. */
const struct config_symbol *kernel_config_get(const struct kernel_config *config, const char *symbol);

enum module_state {
	MODULE_UNKNOWN,
	MODULE_BUILTIN, /* modules.builtin names it */
	MODULE_FILE,    /* modules.dep names it and the file exists, or the running kernel has loaded it */
	MODULE_ABSENT,  /* neither, and both lists were read */
};

struct kernel_module {
	const char *name; /* with '_', as in /proc/modules */
	enum module_state state;
	struct place place;       /* the line of modules.builtin or modules.dep, or the file */
	const char *file;         /* "kernel/drivers/scsi/virtio_scsi.ko.xz"; NULL */
	const char *needs;        /* all it depends on, closed, without what is built in; blank between; "" */
	enum answer in_initramfs; /* it and all it needs are carried, for this kernel's version */
	const char *missing;      /* which of them are not, blank between; "" */
	bool loaded;              /* by the running kernel */
};

struct kernel {
	const char *version; /* release; NULL: could not be read */
	const char *banner;  /* the build's own text; NULL */
	const char *arch;    /* "x86_64", "i386", "arm64"; NULL */
	const char *format;  /* "bzImage", ...; NULL */
	enum answer efi_stub;
	enum answer sound;  /* YES: a kernel, by its headers; NO: the file is none, or cut off, see reason */
	const char *reason; /* why it is not sound, or could not be read; NULL */
	struct place place; /* the file; `text` is the section of a UKI that holds it */
	uint64_t offset, size; /* of that section in the file, bytes; both 0: the whole file */
	bool booted;           /* the default entry boots it */
	bool judged;           /* the rules are asked of it: everything below was gathered */
	uint64_t entry;        /* 1 + index of the boot entry that boots it; 0: none does */
	bool disputed;         /* others boot it too, with other words or another initramfs */
	struct kernel_config config;
	enum answer has_modules_dep;
	const char *modules_directory;      /* "/usr/lib/modules/6.1.0"; NULL */
	LIST(struct kernel_module) modules; /* those asked for */
	/* The initramfs of its entry: */
	struct place initramfs;     /* path NULL: none */
	enum answer initramfs_read; /* NO: damaged or unreadable, see initramfs_reason */
	const char *initramfs_reason;
	const char *initramfs_compression; /* of its segments, "none zstd" */
	const char *initramfs_modules; /* names of the modules in it, blank between; only for `inspect`; "" */
	const char *initramfs_other_versions; /* versions of other kernels whose modules it carries; "" */
	enum answer initramfs_lvm;   /* does it carry the program lvm? Only where that was asked for */
	LIST(struct sysctl) sysctls; /* of a system that runs this kernel */
};

/* Is an initramfs linked into the kernel itself (CONFIG_INITRAMFS_SOURCE)? It is not read. */
bool kernel_has_own_initramfs(const struct kernel *kernel);

/*
 * Finds and reads the configuration of kernel `version`: /boot/config-V, /usr/lib/modules/V/config, IKCONFIG.
 * `tree` is NULL for a kernel alone, `image` where there is no kernel's file.
 */
void kernel_config_find(const struct tree *tree, const char *version, const struct reader *image,
                        const struct place *image_place, const struct names *wanted, struct budget *budget,
                        struct arena *arena, struct kernel_config *out);

/* The same of the running kernel, which may show its own in /proc/config.gz. */
void kernel_config_running(const struct tree *tree, const char *version, const struct names *wanted,
                           struct budget *budget, struct arena *arena, struct kernel_config *out);

/* Modules that are asked for. */
struct module_question {
	struct names wanted; /* each gets a row in kernel->modules */
	struct names
		early;   /* those of them that matter in the initramfs: it is unpacked until all are seen */
	bool everything; /* unpack it to its end, and list all modules */
	bool lvm;        /* look for the program lvm as well */
};

/*
 * Looks each wanted module up in modules.builtin and modules.dep, closes over its dependencies and walks the
 * initramfs (NULL: none) as far as the question needs. A module that is not early may stay unknown there.
 * Fills the module and initramfs members of *kernel.
 *
 * `tree` is NULL where there is no root file system: then the lists are those that the initramfs itself
 * carries, which tell of what is built in and of what is carried, and of nothing else.
 */
void kernel_modules_find(const struct tree *tree, const struct module_question *question,
                         const struct reader *initramfs, struct budget *budget, struct arena *arena,
                         struct kernel *kernel);
