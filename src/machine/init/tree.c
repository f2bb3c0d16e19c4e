// What the kernel shows of itself and of the machine, as a tar of the ustar kind: the same files that
// capture.sh takes. Links stay links, for their targets tell which device has which driver.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/text.h"
#include "live/ethtool.h"
#include "machine/init/init.h"
#include "machine/init/pack.h"

#define BLOCK     512
#define FILE_MOST ((size_t)1 << 20)
#define DEPTH     8
/* The reader of this takes 16 MiB. */
#define TAR_MOST ((long)12 << 20)

struct tar {
	FILE *out;
	long size;
};

/* Fields of a header: offsets and widths of POSIX ustar. */
static void put_octal(char *header, size_t at, int width, unsigned long value)
{
	snprintf(header + at, (size_t)width, "%0*lo", width - 1, value);
}

/* The name, where it is too long with its folders in the field for them. */
static bool put_name(char *header, const char *name)
{
	size_t length = strlen(name);
	if (length <= 100) {
		memcpy(header, name, length);
		return true;
	}
	const char *slash = strchr(name + (length - 101), '/');
	if (!slash || slash == name || slash - name > 155 || slash[1] == '\0')
		return false;
	memcpy(header + 345, name, (size_t)(slash - name));
	memcpy(header, slash + 1, strlen(slash + 1));
	return true;
}

static void add(struct tar *tar, const char *path, char type, const char *link, const void *data, size_t size)
{
	char header[BLOCK] = { 0 };
	static const char zeros[BLOCK];
	size_t padding = (BLOCK - size % BLOCK) % BLOCK;
	if (tar->size + (long)(size + 2 * BLOCK) > TAR_MOST || !put_name(header, path + strspn(path, "/")) ||
	    (link && strlen(link) > 100))
		return;
	put_octal(header, 100, 8, type == '5' ? 0755 : 0644);
	put_octal(header, 108, 8, 0);
	put_octal(header, 116, 8, 0);
	put_octal(header, 124, 12, size);
	put_octal(header, 136, 12, 0);
	header[156] = type;
	if (link)
		memcpy(header + 157, link, strlen(link));
	memcpy(header + 257, "ustar\00000", 8);
	memset(header + 148, ' ', 8);
	unsigned long sum = 0;
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)header[i];
	put_octal(header, 148, 7, sum);
	if (fwrite(header, 1, BLOCK, tar->out) == BLOCK &&
	    (size == 0 || fwrite(data, 1, size, tar->out) == size) &&
	    fwrite(zeros, 1, padding, tar->out) == padding)
		tar->size += (long)(BLOCK + size + padding);
}

static void add_text(struct tar *tar, const char *path, const char *text)
{
	add(tar, path, '0', NULL, text, strlen(text));
}

static void add_file(struct tar *tar, const char *path)
{
	static char data[FILE_MOST];
	long size = load_file(path, data, sizeof(data));
	if (size >= 0)
		add(tar, path, '0', NULL, data, (size_t)size);
}

static void add_link(struct tar *tar, const char *path)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	if (length <= 0)
		return;
	target[length] = '\0';
	add(tar, path, '2', target, NULL, 0);
}

/* A folder with all that is in it, or with no more than the names of its folders. */
static void add_folder(struct tar *tar, const char *path, bool names_only, int depth)
{
	char inner[PATH_MAX];
	struct stat status;
	DIR *folder = depth < DEPTH ? opendir(path) : NULL;
	struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		int length = snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (strspn(entry->d_name, ".") == strlen(entry->d_name) || length >= (int)sizeof(inner) ||
		    lstat(inner, &status) != 0)
			continue;
		if (S_ISDIR(status.st_mode) && names_only)
			add(tar, inner, '5', NULL, NULL, 0);
		else if (S_ISDIR(status.st_mode))
			add_folder(tar, inner, false, depth + 1);
		else if (S_ISREG(status.st_mode) && !names_only && (status.st_mode & 0444))
			add_file(tar, inner);
	}
	if (folder)
		closedir(folder);
}

/* Devices of one kind, and what is taken of each: a file, a link, or the names in a folder. */
static const struct {
	const char *folder, *prefix;
	const char *attributes[16];
} kinds[] = {
	{ "/sys/bus/pci/devices",
	  "",
	  { "vendor", "device", "subsystem_vendor", "subsystem_device", "class", "revision", "irq", "config",
	    "driver" } },
	{ "/sys/bus/virtio/devices", "", { "vendor", "device", "features", "driver" } },
	{ "/sys/bus/pnp/devices", "", { "id", "resources" } },
	{ "/sys/class/scsi_host", "", { "proc_name", "nr_hw_queues" } },
	{ "/sys/bus/scsi/devices",
	  "",
	  { "type", "vendor", "model", "rev", "scsi_level", "inquiry", "vpd_pg80", "vpd_pg83", "vpd_pgb0",
	    "vpd_pgb1", "queue_depth", "driver", "block" } },
	{ "/sys/block",
	  "sd",
	  { "size", "ro", "device", "queue/logical_block_size", "queue/physical_block_size",
	    "queue/scheduler", "queue/nr_requests", "queue/write_cache", "queue/max_sectors_kb", "mq" } },
	{ "/sys/class/net", "", { "mtu", "address", "operstate", "device", "queues" } },
	{ "/sys/class/tty", "ttyS", { "irq", "type", "port", "uartclk", "device" } },
	{ "/sys/class/dmi", "id", { "product_name", "sys_vendor", "bios_vendor", "bios_version" } },
};

static void add_attribute(struct tar *tar, const char *device, const char *attribute)
{
	char path[PATH_MAX + 64];
	struct stat status;
	snprintf(path, sizeof(path), "%s/%s", device, attribute);
	if (lstat(path, &status) != 0)
		return;
	if (S_ISLNK(status.st_mode))
		add_link(tar, path);
	else if (S_ISDIR(status.st_mode))
		add_folder(tar, path, true, 0);
	else
		add_file(tar, path);
}

static void add_kind(struct tar *tar, size_t kind)
{
	char path[PATH_MAX], real[PATH_MAX];
	DIR *folder = opendir(kinds[kind].folder);
	struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		const char *prefix = kinds[kind].prefix;
		if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", kinds[kind].folder, entry->d_name);
		add_link(tar, path);
		if (!realpath(path, real))
			continue;
		for (size_t i = 0; i < 16 && kinds[kind].attributes[i]; i++)
			add_attribute(tar, real, kinds[kind].attributes[i]);
	}
	if (folder)
		closedir(folder);
}

/* The size of the file; -1: there is no room. */
static long write_packed(const char *path, const uint8_t *bytes, size_t size)
{
	FILE *file = fopen(path, "we");
	if (!file)
		return -1;
	bool whole = pack(bytes, size, file);
	long length = ftell(file);
	return fclose(file) == 0 && whole ? length : -1;
}

long capture_write(const char *path, const char *release)
{
	static const char *const files[] = {
		"/proc/config.gz", "/proc/cmdline",           "/proc/version",    "/proc/modules",
		"/proc/mounts",    "/proc/tty/driver/serial", "/proc/interrupts",
	};
	static const char *const folders[] = {
		"/proc/sys/kernel",   "/proc/sys/vm",       "/proc/sys/fs",
		"/proc/sys/net/core", "/proc/sys/net/ipv4",
	};
	static const char end[2 * BLOCK];
	char *bytes = NULL;
	size_t size = 0;
	struct tar tar = { .out = open_memstream(&bytes, &size) };
	struct utsname names;
	struct text offloads = { 0 };
	if (!tar.out)
		return -1;
	add_text(&tar, "slipway/release", release);
	if (uname(&names) == 0)
		add_text(&tar, "slipway/hardware", names.machine);
	if (ethtool_ask(&offloads))
		add_text(&tar, "slipway/offloads", text_get(&offloads));
	text_free(&offloads);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		add_file(&tar, files[i]);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		add_kind(&tar, i);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		add_folder(&tar, folders[i], false, 0);
	bool whole = fwrite(end, 1, sizeof(end), tar.out) == sizeof(end);
	whole = fclose(tar.out) == 0 && whole;
	long packed = whole ? write_packed(path, (const uint8_t *)bytes, size) : -1;
	free(bytes);
	return packed;
}
