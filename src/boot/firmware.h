// Private to boot/: the disk as boot loaders see it, and the ways into it.
#pragma once

#include "boot/grub.h"

/* The file systems of the disk, asked by partition. Also the context of a struct grub_disk. */
struct boot_disk {
	const struct reader *reader;
	const struct partition_table *table;
	const struct fs_set *filesystems;
	struct budget *budget;
	struct arena *arena;
};

/* NULL when the partition holds nothing known. */
struct filesystem *boot_disk_filesystem(const struct boot_disk *disk, uint64_t partition);

/* How many reads have failed so far: when there are more after something was looked for, it may be there. */
size_t boot_disk_failures(const struct boot_disk *disk);

/* What a struct grub_disk asks; `context` is a struct boot_disk. */
enum answer boot_disk_search(void *context, enum grub_search by, const char *key, uint64_t *partition);
enum answer boot_disk_look(void *context, uint64_t partition, const char *path, enum grub_file_kind *kind);
bool boot_disk_load(void *context, uint64_t partition, const char *path, size_t most, struct arena *arena,
                    struct span *out, struct error *error);
enum answer boot_disk_list(void *context, uint64_t partition, const char *path, struct arena *arena,
                           struct names *out);
struct grub_disk boot_disk_interface(struct boot_disk *disk);

/* Is a regular file of some bytes there? */
bool boot_disk_exists(struct boot_disk *disk, uint64_t partition, const char *path);
/* Last component of a path. */
const char *boot_disk_name(const char *path);
/* The rest of it, in the arena; "" for a file in the root. */
const char *boot_disk_folder(const struct boot_disk *disk, const char *path);

/* What a GRUB image says of its configuration; all NULL or empty when it could not be looked into. */
struct grub_image {
	const char *prefix; /* "(,gpt3)/boot/grub", "/EFI/debian" */
	struct span config; /* commands that it runs before anything else */
	enum answer normal; /* does it hold the module `normal`, without which GRUB reads no menu? */
	enum answer blscfg; /* does it hold Fedora's module `blscfg`? */
	bool bls_on_esp;    /* and one that looks on the EFI system partition as well? */
};

/* One way in, with what is needed to go on from it. */
struct firmware_path {
	struct boot_path path;
	const char *platform; /* GRUB's name for it: "pc", "efi" */
	const char *cpu;
	struct grub_image image;
	struct grub_btrfs btrfs; /* how that GRUB takes paths there */
	const char *doubt;       /* why another loader may be started than this one; NULL */
};

/* bios.c: how a BIOS would start the disk. False only when the disk cannot be read. */
NODISCARD bool bios_find(struct boot_disk *disk, struct firmware_path *out, struct error *error);

/* uefi.c: how UEFI firmware without any boot entry of its own would start the disk. */
void uefi_find(struct boot_disk *disk, struct firmware_path *out);

/* grub_find.c: the first configuration that this GRUB reads, into way->path. */
void grub_find_config(struct boot_disk *disk, struct firmware_path *way);
NODISCARD bool grub_read_menu(struct boot_disk *disk, const struct firmware_path *way, struct boot *out,
                              struct error *error);

/* Menus of the other loaders; like grub_read_menu(), without a file that they could not do without. */
NODISCARD bool systemd_boot_read_menu(struct boot_disk *disk, const struct firmware_path *way,
                                      struct boot *out, struct error *error);
NODISCARD bool uki_read_menu(struct boot_disk *disk, const struct firmware_path *way, struct boot *out,
                             struct error *error);

/* syslinux_find.c: what `boot`, the boot sector of a partition, loads; what the EFI program at way->path
 * loads. */
void syslinux_find_bios(struct boot_disk *disk, const struct partition *partition, struct span boot,
                        const char *whose, struct firmware_path *way);
void syslinux_find_efi(struct boot_disk *disk, struct firmware_path *way);
NODISCARD bool syslinux_read_menu(struct boot_disk *disk, const struct firmware_path *way, struct boot *out,
                                  struct error *error);

/* grub_image.c: prefix and embedded configuration from the modules that follow GRUB's kernel. */
void grub_image_read(struct span modules, struct arena *arena, struct grub_image *out);
/* The same from a BIOS core image: unpacks it first. */
void grub_image_read_core(struct span core, struct budget *budget, struct arena *arena,
                          struct grub_image *out);
