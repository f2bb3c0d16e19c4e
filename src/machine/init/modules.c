// Source: modules.dep(5); init_module(2). A line of modules.dep is a module's path and those that it needs,
// all of them, the deepest last:
//
//   kernel/drivers/scsi/virtio_scsi.ko.xz: kernel/drivers/virtio/virtio.ko.xz
//   kernel/drivers/scsi/scsi_mod.ko.xz
//
// A parameter of a module stands on the kernel's command line as "virtio_net.csum=0", and is handed over by
// whoever loads the module, as modprobe does.
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
#define LINE_LENGTH 4096 /* COMMAND_LINE_SIZE is 2048 on x86 */

/* MODULE_INIT_COMPRESSED_FILE of linux/module.h, which old headers lack. */
#define COMPRESSED 4

/* In the order in which they are wanted: the transport before what it carries. */
static const char *const wanted[] = {
	"virtio_pci", "virtio_scsi", "sd_mod",     "virtio_net", "8250",
	"8250_pci",   "8250_pnp",    "virtio_rng", "nvme",       "gve",
};

static char directory[PATH_LENGTH];
static char command_line[LINE_LENGTH];

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), size = strlen(end);
	return length >= size && strcmp(text + length - size, end) == 0;
}

/* Where the name of a module's file begins. */
static size_t base_of(const char *path, size_t length)
{
	size_t base = 0;
	for (size_t i = 0; i < length; i++)
		if (path[i] == '/')
			base = i + 1;
	return base;
}

/* "virtio-pci" and "virtio_pci" are one. */
static bool same_letters(const char *text, const char *name, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((text[i] == '-' ? '_' : text[i]) != (name[i] == '-' ? '_' : name[i]))
			return false;
	return true;
}

static bool same_name(const char *path, size_t length, const char *name)
{
	size_t size = strlen(name), base = base_of(path, length);
	return length - base >= size + 3 && path[base + size] == '.' && same_letters(path + base, name, size);
}

/* The words of the command line that are for this module, without its name: "csum=0 gso=0" */
static void find_parameters(const char *path, size_t length, char *out, size_t capacity)
{
	const char *name = path + base_of(path, length);
	size_t size = strcspn(name, "."), used = 0;
	out[0] = '\0';
	for (const char *word = command_line, *end; *word; word = *end ? end + 1 : end) {
		end = word + strcspn(word, " \n");
		size_t word_size = (size_t)(end - word);
		if (word_size < size + 2 || word[size] != '.' || !same_letters(word, name, size) ||
		    word_size - size + used >= capacity)
			continue;
		if (used > 0)
			out[used++] = ' ';
		memcpy(out + used, word + size + 1, word_size - size - 1);
		used += word_size - size - 1;
		out[used] = '\0';
	}
}

/* One module, whose path of modules.dep is text[length]. */
static void insert(const char *text, size_t length)
{
	char path[PATH_LENGTH * 2], parameters[PATH_LENGTH];
	snprintf(path, sizeof(path), "%s%s%.*s", text[0] == '/' ? "" : directory, text[0] == '/' ? "" : "/",
	         (int)length, text);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0) {
		say("the initramfs does not carry %s", path);
		return;
	}
	find_parameters(text, length, parameters, sizeof(parameters));
	int flags = ends_with(path, ".ko") ? 0 : COMPRESSED;
	if (syscall(SYS_finit_module, file, parameters, flags) != 0 && errno != EEXIST)
		say("%s cannot be loaded: %s%s", path, strerror(errno),
		    flags ? " (does this kernel unpack modules itself?)" : "");
	close(file);
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
	if (load_file("/proc/cmdline", command_line, sizeof(command_line)) < 0)
		command_line[0] = '\0';
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
