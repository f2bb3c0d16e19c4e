// What boots: from the firmware's first byte to a kernel, its initramfs and its command line.
//
// Paths here are inside one file system, as the boot loader sees it; `partition` says which.
#pragma once

#include "base/place.h"
#include "fs/tree.h"
#include "volume/volume.h"

/* One way in, from one kind of firmware to a boot loader. */
struct boot_path {
	const char *firmware; /* "bios" or "uefi" */
	enum answer works;    /* every link of the chain is there */
	const char *loader;   /* "grub", "shim", "systemd-boot", "syslinux", "uki", "unknown" */
	const char *reason;   /* one sentence: what is there, or which link is missing */
	struct place place;   /* the boot sector or the loader's file */
	const char *config;   /* the loader's first configuration file ("/EFI/debian/grub.cfg"); NULL */
	uint64_t config_partition;
};

/* A file that an entry names: the kernel or an initrd. */
struct boot_file {
	const char *path; /* as resolved inside its file system */
	uint64_t partition;
	enum answer found;
	const char *section; /* of the EFI program at `path` (".linux") that holds it; NULL: the whole file */
	uint64_t offset, size; /* of that section in the file, bytes; both 0 without one */
};

struct boot_entry {
	const char *id;    /* GRUB --id, BLS file name; NULL */
	const char *title; /* with its submenus, joined by '>' as GRUB does */
	struct boot_file kernel;
	LIST(struct boot_file) initrds;
	const char *command_line;
	struct place place; /* the line that loads the kernel; `text` is that line */
	/* root= (or what stands for it), found among the image's file systems: */
	const char *root; /* "UUID=...", "/dev/sda1"; NULL: none named */
	enum answer root_found;
	uint64_t root_partition;
	const char *root_reason;
};

/* Code of a problem: a read failed while the menu was read, which may have more entries than were seen. */
#define BOOT_MENU_UNREAD "boot-menu-unread"

struct boot {
	LIST(struct boot_path) paths;
	const char *loader;  /* of the menu that the entries come from: "grub"; NULL: none found */
	struct place config; /* its configuration */
	LIST(struct boot_entry) entries;
	enum answer default_known;  /* NO: the menu names none that exists; UNKNOWN: could not be followed */
	uint64_t default_index;     /* into entries, when known */
	const char *default_reason; /* "saved_entry of grubenv", "set default=0", or why it is not known */
	struct place default_place;
	const char *timeout; /* seconds the menu waits, as the loader will see it; NULL: not known */
	struct place timeout_place;
	LIST(struct problem)
	problems; /* lines that could not be followed, missing files, BOOT_MENU_UNREAD, ... */
};

/* Do two entries give their kernel the same words and the same initrds? */
bool boot_same_start(const struct boot_entry *a, const struct boot_entry *b);

/* Does this firmware ("bios", "uefi") find its way to a loader? */
bool boot_works(const struct boot *boot, const char *firmware);

/* Finds the firmware paths, the boot loader's configuration, the entries and the default one. */
NODISCARD bool boot_find(const struct reader *disk, const struct partition_table *table,
                         const struct fs_set *filesystems, struct budget *budget, struct arena *arena,
                         struct boot *out, struct error *error);

/* The options of the root's mount: what the entry's last rootflags= says, or "". */
const char *boot_root_options(const struct boot_entry *entry, struct arena *arena);

/*
 * Which partition a root= (or fstab) specification names: UUID=, LABEL=, PARTUUID=, PARTLABEL=,
 * /dev/disk/by-*, /dev/sdaN, /dev/mapper/VG-LV, /dev/VG/LV. ANSWER_UNKNOWN for a name that cannot be tied to
 * this disk; ANSWER_NO when it names nothing here. *reason is one sentence in the arena.
 */
enum answer boot_resolve_device(const char *specification, const struct partition_table *table,
                                struct arena *arena, uint64_t *partition, const char **reason);
