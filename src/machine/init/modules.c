// Source: modules.dep(5); init_module(2). A line of modules.dep is a module's path and those that it needs,
// all of them, the deepest last:
//
//   kernel/drivers/scsi/virtio_scsi.ko.xz: kernel/drivers/virtio/virtio.ko.xz
//   kernel/drivers/scsi/scsi_mod.ko.xz
//
// Compressed files are the kernel's to unpack (since 5.17, where it was configured so); busybox-like
// initramfs carry plain ones.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine/init/init.h"

#define LIST_MOST   ((size_t)4 << 20)
#define PATH_LENGTH 512

/* MODULE_INIT_COMPRESSED_FILE of linux/module.h, which old headers lack. */
#define COMPRESSED 4

/* In the order in which they are wanted: the transport before what it carries. */
static const char *const wanted[] = {
	"virtio_pci", "virtio_scsi", "sd_mod",     "virtio_net", "8250",
	"8250_pci",   "8250_pnp",    "virtio_rng", "nvme",       "gve",
};

static char directory[PATH_LENGTH];

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), size = strlen(end);
	return length >= size && strcmp(text + length - size, end) == 0;
}

/* One module, whose path of modules.dep is text[length]. */
static void insert(const char *text, size_t length)
{
	char path[PATH_LENGTH * 2];
	snprintf(path, sizeof(path), "%s%s%.*s", text[0] == '/' ? "" : directory, text[0] == '/' ? "" : "/",
	         (int)length, text);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0) {
		say("the initramfs does not carry %s", path);
		return;
	}
	int flags = ends_with(path, ".ko") ? 0 : COMPRESSED;
	if (syscall(SYS_finit_module, file, "", flags) != 0 && errno != EEXIST)
		say("%s cannot be loaded: %s%s", path, strerror(errno),
		    flags ? " (does this kernel unpack modules itself?)" : "");
	close(file);
}

/* "virtio-pci" and "virtio_pci" are one. */
static bool same_name(const char *path, size_t length, const char *name)
{
	const char *base = path;
	for (size_t i = 0; i < length; i++)
		if (path[i] == '/')
			base = path + i + 1;
	size_t size = strlen(name), left = length - (size_t)(base - path);
	if (left < size + 3 || base[size] != '.')
		return false;
	for (size_t i = 0; i < size; i++)
		if ((base[i] == '-' ? '_' : base[i]) != name[i])
			return false;
	return true;
}

/* What the line names behind its colon, the last first, and then the module itself. */
static void insert_line(const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);
	const char *end = line + length;
	if (!colon)
		return;
	while (end > colon + 1) {
		const char *start = end;
		while (start > colon + 1 && start[-1] != ' ')
			start--;
		if (end > start)
			insert(start, (size_t)(end - start));
		end = start > colon + 1 ? start - 1 : start;
	}
	insert(line, (size_t)(colon - line));
}

void load_modules(const char *release)
{
	static const char *const parents[] = { "/lib/modules", "/usr/lib/modules" };
	static char list[LIST_MOST];
	long size = -1;
	for (size_t i = 0; i < 2 && size < 0; i++) {
		char path[PATH_LENGTH + 16];
		snprintf(directory, sizeof(directory), "%s/%s", parents[i], release);
		snprintf(path, sizeof(path), "%s/modules.dep", directory);
		size = load_file(path, list, sizeof(list));
	}
	if (size < 0) {
		say("there are no modules for %s: all that is needed has to be built in", release);
		return;
	}
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		for (const char *line = list, *end; *line; line = *end ? end + 1 : end) {
			end = line + strcspn(line, "\n");
			const char *colon = memchr(line, ':', (size_t)(end - line));
			if (colon && same_name(line, (size_t)(colon - line), wanted[i]))
				insert_line(line, (size_t)(end - line));
		}
}
