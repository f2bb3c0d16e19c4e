// Prints what our readers make of a compressed file, an initramfs or a kernel, for comparison with the tools
// that others wrote.
//
//   unpack content FILE    its unpacked content
//   unpack initramfs FILE  "segment OFFSET COMPRESSION ENTRIES", and "MODE SIZE NAME" for each entry before
//   it unpack kernel FILE     format, arch, version, compression, banner, one a line unpack config FILE the
//   configuration inside
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "boot/initramfs.h"
#include "boot/kernel_image.h"
#include "codec/codec.h"

static bool read_descriptor(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	const int *descriptor = state;
	if (pread(*descriptor, buffer, length, (off_t)offset) != (ssize_t)length)
		return error_set(error, ERROR_IO, "short read");
	return true;
}

static bool print_content(const struct reader *file, struct budget *budget, struct arena *arena,
                          struct error *error)
{
	struct span content;
	if (!codec_load(file, 0, (size_t)1 << 30, budget, arena, &content, error))
		return false;
	return fwrite(content.data, 1, content.size, stdout) == content.size;
}

static bool print_entry(void *context, const struct cpio_entry *entry)
{
	(void)context;
	printf("%o %" PRIu64 " %s\n", entry->mode, entry->size, entry->name);
	return true;
}

static bool print_initramfs(const struct reader *file, struct budget *budget, struct arena *arena,
                            struct error *error)
{
	struct initramfs initramfs;
	bool sound = initramfs_walk(file, budget, arena, print_entry, NULL, &initramfs, error);
	for (size_t i = 0; i < initramfs.segments.count; i++)
		printf("segment %" PRIu64 " %s %" PRIu64 "\n", initramfs.segments.items[i].offset,
		       initramfs.segments.items[i].compression, initramfs.segments.items[i].entries);
	return sound;
}

static bool print_kernel(const struct reader *file, struct budget *budget, struct arena *arena,
                         struct error *error)
{
	struct kernel_image image;
	if (!kernel_image_read(file, budget, arena, &image, error))
		return false;
	printf("%s\n%s\n%s\n%s\n%s\n", image.format, image.arch ? image.arch : "",
	       image.version ? image.version : "", image.compression, image.banner ? image.banner : "");
	return true;
}

static bool print_config(const struct reader *file, struct budget *budget, struct arena *arena,
                         struct error *error)
{
	struct kernel_image image;
	struct span config;
	if (!kernel_image_read(file, budget, arena, &image, error) ||
	    !kernel_image_config(file, &image, budget, arena, &config, error))
		return false;
	return fwrite(config.data, 1, config.size, stdout) == config.size;
}

static const struct {
	const char *name;
	bool (*print)(const struct reader *file, struct budget *budget, struct arena *arena,
	              struct error *error);
} kinds[] = {
	{ "content", print_content },
	{ "initramfs", print_initramfs },
	{ "kernel", print_kernel },
	{ "config", print_config },
};

int main(int count, char **arguments)
{
	struct arena arena = { 0 };
	struct budget budget = budget_default();
	struct error error = { 0 };
	struct stat status;
	int descriptor = count == 3 ? open(arguments[2], O_RDONLY | O_CLOEXEC) : -1;
	if (descriptor < 0 || fstat(descriptor, &status) != 0) {
		fprintf(stderr, "usage: unpack content|initramfs|kernel|config FILE\n");
		return 3;
	}
	struct reader file = { .read = read_descriptor,
		               .state = &descriptor,
		               .size = (uint64_t)status.st_size };
	bool sound = false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_equal(arguments[1], kinds[i].name))
			sound = kinds[i].print(&file, &budget, &arena, &error);
	if (!sound)
		fprintf(stderr, "%s\n", error.message);
	arena_free(&arena);
	close(descriptor);
	return sound ? 0 : 1;
}
