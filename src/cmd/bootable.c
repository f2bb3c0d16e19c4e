#include "cmd/bootable.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unnamed.h"
#include "cmd/input.h"
#include "cmd/scratch.h"
#include "cmd/served.h"

/* What a copy may take of a processor: 16 MiB a second, which the slowest packing reaches twice over. */
#define COPIED_A_SECOND (UINT64_C(16) << 20)

/* No disk that can be imported is larger: a container of some kilobytes may say that it holds any size. */
#define COPIED_MOST (UINT64_C(2) << 40)

/* What a guest tells of itself, unpacked: ten times as much as any has. It may have packed more, on purpose.
 */
#define CAPTURE_MOST (UINT64_C(128) << 20)

static void close_file(int *file)
{
	if (*file >= 0)
		close(*file);
	*file = -1;
}

void bootable_close(struct bootable *bootable)
{
	close_file(&bootable->disk);
	close_file(&bootable->kernel);
	close_file(&bootable->initrd);
}

static const struct boot_entry *default_entry(const struct facts *facts)
{
	const struct boot *boot = &facts->boot;
	return boot->default_known == ANSWER_YES && boot->default_index < boot->entries.count
	               ? &boot->entries.items[boot->default_index]
	               : NULL;
}

static const char *kernel_arch(const struct facts *facts)
{
	for (size_t i = 0; i < facts->kernels.count; i++)
		if (facts->kernels.items[i].judged && facts->kernels.items[i].arch)
			return facts->kernels.items[i].arch;
	return NULL;
}

/* Is there nothing to be read of the system because it is encrypted? */
static const struct partition *encrypted_root(const struct facts *facts)
{
	const struct boot_entry *entry = default_entry(facts);
	for (size_t i = 0; i < facts->table.partitions.count; i++) {
		const struct partition *partition = &facts->table.partitions.items[i];
		bool is_root = entry && entry->root_found == ANSWER_YES &&
		               entry->root_partition == partition->number;
		bool encrypted = str_equal(partition->file_system, "crypto_LUKS") ||
		                 str_equal(partition->file_system, "BitLocker");
		if (encrypted && (is_root || !facts->os.place.path))
			return partition;
	}
	return NULL;
}

/* What no machine boots, told by what is known of it already. */
static bool check_kind(const struct facts *facts, struct error *error)
{
	switch (facts->kind) {
	case INPUT_DISK:
	case INPUT_KERNEL:
		return true;
	case INPUT_TREE:
		return error_set(error, ERROR_UNSUPPORTED,
		                 "a root file system by itself has no boot loader and no disk: make an image "
		                 "of it, and give that");
	case INPUT_CONFIG:
		return error_set(error, ERROR_UNSUPPORTED,
		                 "a configuration is no kernel: build one with it, and give that");
	case INPUT_LIVE:
		return error_set(error, ERROR_UNSUPPORTED, "this machine is running already: give an image");
	case INPUT_UNKNOWN:
		break;
	}
	return error_set(error, ERROR_UNSUPPORTED, "%s",
	                 facts->reason ? facts->reason : "it is neither a disk image nor a kernel");
}

/* What can be loaded without firmware and loader. */
static bool check_direct(const struct facts *facts, struct error *error)
{
	const char *arch = kernel_arch(facts);
	const struct boot_entry *entry = default_entry(facts);
	if (arch && !str_equal(arch, "x86_64") && !str_equal(arch, "i386"))
		return error_set(error, ERROR_UNSUPPORTED,
		                 facts->kind == INPUT_KERNEL
		                         ? "it is a kernel for %s, and only those for x86 are booted by "
		                           "themselves: give a disk image with it"
		                         : "its kernel is for %s, and a look inside takes the serial ports "
		                           "of an x86 machine: leave --inside out",
		                 arch);
	if (facts->kind == INPUT_KERNEL)
		return true;
	if (!entry)
		return error_set(
			error, ERROR_NOT_FOUND,
			"which kernel the image boots is not known%s%s: it cannot be loaded directly",
			facts->boot.default_reason ? ", " : "",
			facts->boot.default_reason ? facts->boot.default_reason : "");
	if (entry->kernel.found != ANSWER_YES)
		return error_set(error, ERROR_NOT_FOUND,
		                 "the kernel that the boot menu names (%s) is not there: install it, or mend "
		                 "the entry",
		                 entry->kernel.path ? entry->kernel.path : "no path");
	return true;
}

bool bootable_check(const struct facts *facts, bool direct, struct error *error)
{
	if (!check_kind(facts, error))
		return false;
	const struct partition *encrypted = encrypted_root(facts);
	if (encrypted)
		return error_set(
			error, ERROR_UNSUPPORTED,
			"its root file system is encrypted (%s, partition %llu): it would wait for a "
			"passphrase",
			encrypted->file_system, (unsigned long long)encrypted->number);
	return !direct || check_direct(facts, error);
}

/* An input as it is examined, opened again. */
struct opened {
	struct input input;
	struct server server; /* of a container that one reads for us */
	enum served format;
};

static int reopen(const char *name, const struct input_identity *examined, struct error *error)
{
	enum input_source source = SOURCE_FILE;
	int descriptor = input_open(name, &source, error);
	if (descriptor < 0)
		return -1;
	struct input_identity now = input_identify(descriptor);
	bool is_same = input_is_same(&now, examined);
	if (source == SOURCE_FILE && is_same)
		return descriptor;
	close(descriptor);
	if (source == SOURCE_STREAM)
		error_fill(error, ERROR_UNSUPPORTED,
		           "a pipe can be read once, and has been examined: save it to a file and give that");
	else
		error_fill(error, ERROR_IO,
		           "it was replaced or written to since it was examined: try again when it is whole");
	return -1;
}

static bool start_server(struct opened *opened, const char *name, struct arena *arena, struct error *error)
{
	struct examination failed = { 0 };
	if (!served_start(opened->input.descriptor, opened->format, arena, &opened->server, &failed))
		return error_set(error, failed.status == STATUS_TEMPORARY ? ERROR_IO : ERROR_UNSUPPORTED,
		                 "%s", failed.facts.reason);
	opened->input = (struct input){
		.name = name,
		.source = SOURCE_SERVER,
		.descriptor = opened->server.socket,
		.scratch = -1,
		.container = served_name(opened->format),
	};
	return true;
}

/* Files for what is wanted; those that are not stay -1. */
static bool make_files(bool disk, bool kernel, struct extract_files *files, struct error *error)
{
	int *const wanted[] = { disk ? &files->disk : NULL, kernel ? &files->kernel : NULL,
		                kernel ? &files->initrd : NULL };
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (!wanted[i])
			continue;
		*wanted[i] = scratch_file(&files->most, error);
		if (*wanted[i] < 0)
			return error_wrap(error, "a temporary file is needed, and");
	}
	return true;
}

/* The worker's answer as an error, or its findings. */
static bool conclude(const struct examination *done, struct error *error)
{
	const struct facts *facts = &done->facts;
	if (done->status == STATUS_CONFORMS && facts->examined == EXAMINED_FULL)
		return true;
	bool no_room = done->status == STATUS_TEMPORARY;
	for (size_t i = 0; i < facts->problems.count; i++)
		no_room |= str_equal(facts->problems.items[i].code, EXTRACT_NO_ROOM);
	return error_set(error, no_room ? ERROR_IO : ERROR_CORRUPT, "it cannot be made bootable: %s",
	                 facts->reason ? facts->reason : "it does not say why");
}

static bool extract(struct opened *opened, const struct extract_files *files, uint64_t size,
                    struct arena *arena, struct examination *out, struct error *error)
{
	struct worker_access access = worker_access_none();
	struct examine_job job = {
		.input = &opened->input,
		.files = files,
		.more_seconds = files->disk >= 0 ? size / COPIED_A_SECOND : 0,
	};
	if (opened->format == SERVED_NOT) {
		access.input = opened->input.descriptor;
		scratch_open(&opened->input, arena);
		access.scratch = opened->input.scratch;
	} else {
		access.server = opened->input.descriptor;
	}
	access.made[0] = files->disk;
	access.made[1] = files->kernel;
	access.made[2] = files->initrd;
	examine_job(&job, &access, arena, out);
	if (opened->format != SERVED_NOT)
		served_stop(&opened->server, opened->format, arena, out);
	close_file(&opened->input.scratch);
	return conclude(out, error);
}

/* A file of ours for others: open for reading alone. An empty one is none. */
static bool take_file(int file, int *out, struct error *error)
{
	struct stat status;
	if (file < 0 || fstat(file, &status) != 0 || status.st_size == 0)
		return true;
	*out = unnamed_reopen(file);
	return *out >= 0 ||
	       error_set(error, ERROR_IO, "a temporary file cannot be opened again: %s", strerror(errno));
}

static bool take_files(const struct extract_files *files, const struct facts *extracted, struct arena *arena,
                       struct bootable *out, struct error *error)
{
	const struct boot_entry *entry = default_entry(extracted);
	if (!take_file(files->disk, &out->disk, error) || !take_file(files->kernel, &out->kernel, error) ||
	    !take_file(files->initrd, &out->initrd, error))
		return false;
	if (files->kernel >= 0 && out->kernel < 0)
		return error_set(error, ERROR_CORRUPT, "its kernel is an empty file");
	if (files->disk >= 0)
		out->disk_size = extracted->size;
	if (files->kernel >= 0 && entry && entry->command_line)
		out->command_line = arena_strdup(arena, entry->command_line);
	return true;
}

/* A raw disk is booted from where it lies. */
static bool take_input(int descriptor, struct bootable *out, struct error *error)
{
	off_t size = lseek(descriptor, 0, SEEK_END);
	if (size <= 0)
		return error_set(error, ERROR_IO, "its size cannot be told: %s",
		                 size ? strerror(errno) : "it is empty");
	out->disk = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	out->disk_size = (uint64_t)size;
	return out->disk >= 0 || error_set(error, ERROR_IO, "%s", strerror(errno));
}

static bool open_all(const char *name, const struct examination *examined, bool direct, struct arena *arena,
                     struct extract_files *files, struct bootable *out, struct error *error)
{
	const struct facts *facts = &examined->facts;
	struct opened opened = { .format = served_of_name(facts->container) };
	struct examination done = { 0 };
	bool is_disk = facts->kind == INPUT_DISK;
	bool in_place = is_disk && str_equal(facts->container, "raw");
	bool kernel = direct || !is_disk;
	if (is_disk && !in_place && facts->size > COPIED_MOST)
		return error_set(
			error, ERROR_LIMIT,
			"the disk in it has %llu bytes, and none that is larger than 2 TiB can be imported",
			(unsigned long long)facts->size);
	int descriptor = reopen(name, &examined->identity, error);
	if (descriptor < 0)
		return false;
	opened.input = input_of_file(name, descriptor);
	bool sound = (!in_place || take_input(descriptor, out, error)) &&
	             make_files(is_disk && !in_place, kernel, files, error);
	if (sound && (!in_place || kernel))
		sound = (opened.format == SERVED_NOT || start_server(&opened, name, arena, error)) &&
		        extract(&opened, files, facts->size, arena, &done, error) &&
		        take_files(files, &done.facts, arena, out, error);
	close(descriptor);
	return sound;
}

bool bootable_open(const char *name, const struct examination *examined, bool direct, struct arena *arena,
                   struct bootable *out, struct error *error)
{
	struct extract_files files = { .disk = -1, .kernel = -1, .initrd = -1 };
	*out = (struct bootable){ .disk = -1, .kernel = -1, .initrd = -1 };
	bool sound = bootable_check(&examined->facts, direct, error) &&
	             open_all(name, examined, direct, arena, &files, out, error);
	close_file(&files.disk);
	close_file(&files.kernel);
	close_file(&files.initrd);
	if (!sound)
		bootable_close(out);
	return sound;
}

void examine_capture(int capture, const struct questions *questions, struct arena *arena,
                     struct examination *out)
{
	struct input input = input_of_file("capture", capture);
	struct worker_access access = worker_access_none();
	*out = (struct examination){ 0 };
	input.source = SOURCE_CAPTURE;
	access.input = capture;
	scratch_open(&input, arena);
	if (input.scratch_most > CAPTURE_MOST)
		input.scratch_most = CAPTURE_MOST;
	access.scratch = input.scratch;
	examine_job(&(struct examine_job){ .input = &input, .questions = questions }, &access, arena, out);
	close_file(&input.scratch);
}
