#include "facts/extract.h"

#include <stdlib.h>

#include "boot/kernel_image.h"
#include "boot/uki.h"
#include "disk/spool.h"
#include "facts/gatherer.h"

#define CHUNK_SIZE ((size_t)1 << 20)

/* Whose fault is a failure? What cannot be written is none of the input's. */
enum fault {
	FAULT_INPUT,
	FAULT_ROOM,
};

static void fail(struct gatherer *gatherer, enum fault fault, const char *message)
{
	gather_note_gap(gatherer, fault == FAULT_ROOM ? EXTRACT_NO_ROOM : "extract-failed", NULL, "%s",
	                message);
}

/* Copies all of a reader into a file. */
static bool copy(struct gatherer *gatherer, const struct reader *from, int file, uint64_t most)
{
	struct error error = { 0 };
	struct spool spool = { .file = file, .most = most };
	uint8_t *chunk = xmalloc(CHUNK_SIZE);
	enum fault fault = FAULT_INPUT;
	bool sound = true;
	for (uint64_t offset = 0, size; sound && offset < from->size; offset += size) {
		size = from->size - offset < CHUNK_SIZE ? from->size - offset : CHUNK_SIZE;
		sound = reader_read(from, offset, chunk, (size_t)size, &error);
		if (sound &&
		    !spool_add(&spool, offset, span_of(chunk, (size_t)size), (struct span){ 0 }, &error)) {
			fault = FAULT_ROOM;
			sound = false;
		}
	}
	if (sound && !spool_end(&spool, from->size, &error)) {
		fault = FAULT_ROOM;
		sound = false;
	}
	free(chunk);
	if (!sound)
		fail(gatherer, fault, error.message);
	return sound;
}

static void missing(struct gatherer *gatherer, const char *what, const char *path, const struct error *error)
{
	gather_note_gap(gatherer, "extract-failed", NULL, "the %s that the boot menu names (%s) %s%s", what,
	                path ? path : "no path",
	                error->code == ERROR_NOT_FOUND ? "is not there" : "cannot be read: ",
	                error->code == ERROR_NOT_FOUND ? "" : error->message);
}

/* A file that an entry names, or the section of it; *file is what the reader reads. */
static bool open_file(struct gatherer *gatherer, const struct boot_file *named, const char *what,
                      struct tree_file *file, struct reader *out)
{
	struct error error = { .code = ERROR_NOT_FOUND };
	struct filesystem *fs = gather_filesystem(gatherer, named->partition);
	if (!fs || !named->path) {
		missing(gatherer, what, named->path, &error);
		return false;
	}
	struct tree tree = tree_of(fs);
	bool found = tree_lookup(&tree, named->path, file, &error);
	if (found && file->node.type != NODE_FILE)
		found = error_set(&error, ERROR_CORRUPT, "it is no file");
	if (found) {
		*out = node_reader(&file->node);
		struct reader whole = *out;
		if (named->size > 0)
			found = reader_slice(&whole, named->offset, named->size, out, &error);
	}
	if (!found)
		missing(gatherer, what, named->path, &error);
	return found;
}

/* What firmware and boot loader hand to the kernel: all initrds, one behind the other, aligned. */
static bool copy_initrds(struct gatherer *gatherer, const struct boot_entry *entry,
                         const struct extract_files *files)
{
	struct error error = { 0 };
	struct reader_sequence *sequence = arena_alloc(gatherer->arena, sizeof(*sequence));
	struct reader reader;
	sequence->unit = 4;
	for (size_t i = 0; i < entry->initrds.count; i++) {
		struct tree_file *file = arena_alloc(gatherer->arena, sizeof(*file));
		if (sequence->count == READER_PARTS_MAX) {
			fail(gatherer, FAULT_INPUT,
			     "the entry that boots names more initrds than can be read");
			return false;
		}
		if (!open_file(gatherer, &entry->initrds.items[i], "initramfs", file,
		               &sequence->parts[sequence->count]))
			return false;
		sequence->count++;
	}
	if (sequence->count == 0)
		return true;
	if (!reader_of_sequence(sequence, &reader, &error)) {
		fail(gatherer, FAULT_INPUT, error.message);
		return false;
	}
	return copy(gatherer, &reader, files->initrd, files->most);
}

static bool copy_entry(struct gatherer *gatherer, const struct boot_entry *entry,
                       const struct extract_files *files)
{
	struct tree_file *file = arena_alloc(gatherer->arena, sizeof(*file));
	struct reader reader;
	return open_file(gatherer, &entry->kernel, "kernel", file, &reader) &&
	       copy(gatherer, &reader, files->kernel, files->most) && copy_initrds(gatherer, entry, files);
}

/* The entry that boots, out of the disk's file systems. */
static bool copy_default(struct gatherer *gatherer, const struct extract_files *files)
{
	struct boot *boot = &gatherer->facts->boot;
	if (!gather_boot_path(gatherer))
		return false;
	if (boot->default_known == ANSWER_YES && boot->default_index < boot->entries.count)
		return copy_entry(gatherer, &boot->entries.items[boot->default_index], files);
	gather_note_gap(gatherer, "extract-failed", NULL,
	                "which kernel the image boots is not known%s%s, so it cannot be started directly",
	                boot->default_reason ? ": " : "", boot->default_reason ? boot->default_reason : "");
	return false;
}

static bool extract_disk(struct gatherer *gatherer, const struct extract_files *files)
{
	struct facts *facts = gatherer->facts;
	const struct reader *reader = &gatherer->disk->reader;
	facts->kind = INPUT_DISK;
	facts->container = gatherer->disk->container;
	facts->size = reader->size;
	if (gatherer->disk->archive && !gatherer->disk->packing.disk.name) {
		fail(gatherer, FAULT_INPUT, "the archive holds no disk");
		return false;
	}
	return (files->disk < 0 || copy(gatherer, reader, files->disk, files->most)) &&
	       (files->kernel < 0 || copy_default(gatherer, files));
}

/* A kernel by itself is taken as it is; of one in a UKI its sections. */
static bool extract_kernel(struct gatherer *gatherer, const struct extract_files *files)
{
	struct error error = { 0 };
	const struct reader *bytes = &gatherer->disk->reader;
	struct uki uki;
	struct reader part;
	struct reader_sequence sequence = { .unit = 4 };
	gatherer->facts->kind = INPUT_KERNEL;
	if (!uki_read(bytes, gatherer->arena, &uki, &error))
		return copy(gatherer, bytes, files->kernel, files->most);
	const struct uki_profile *profile = &uki.profiles.items[0];
	const struct pe_section *const initrds[] = { &profile->ucode, &profile->initrd };
	struct boot *boot = &gatherer->facts->boot;
	uki_fill_entry(profile, gatherer->input->name, 0, gatherer->arena,
	               LIST_ADD(gatherer->arena, &boot->entries));
	boot->default_known = ANSWER_YES;
	bool sound = reader_slice(bytes, profile->linux.offset, profile->linux.size, &part, &error);
	for (size_t i = 0; sound && i < ARRAY_SIZE(initrds); i++)
		if (initrds[i]->size > 0)
			sound = reader_slice(bytes, initrds[i]->offset, initrds[i]->size,
			                     &sequence.parts[sequence.count++], &error);
	struct reader initramfs = { 0 };
	if (sound && sequence.count > 0)
		sound = reader_of_sequence(&sequence, &initramfs, &error);
	if (!sound) {
		fail(gatherer, FAULT_INPUT, error.message);
		return false;
	}
	return copy(gatherer, &part, files->kernel, files->most) &&
	       (sequence.count == 0 || copy(gatherer, &initramfs, files->initrd, files->most));
}

/* A file that is a kernel: the same test by which it was examined as one. */
static bool is_kernel(struct gatherer *gatherer)
{
	struct error error = { 0 };
	struct uki uki;
	struct budget budget = { .inflated_left = (uint64_t)4 << 20 };
	if (gatherer->input->source != SOURCE_FILE ||
	    !disk_open_bytes(gatherer->input, &gatherer->disk, &error))
		return false;
	if (kernel_image_matches(&gatherer->disk->reader, &budget) ||
	    uki_read(&gatherer->disk->reader, gatherer->arena, &uki, &error))
		return true;
	disk_close(gatherer->disk);
	gatherer->disk = NULL;
	return false;
}

static bool extract(struct gatherer *gatherer, const struct extract_files *files)
{
	struct error error = { 0 };
	if (files->kernel >= 0 && files->disk < 0 && is_kernel(gatherer))
		return extract_kernel(gatherer, files);
	if (!disk_open(gatherer->input, &gatherer->budget, gatherer->arena, &gatherer->disk, &error)) {
		/* What is unpacked goes to a temporary file too. */
		fail(gatherer, error.code == ERROR_IO ? FAULT_ROOM : FAULT_INPUT, error.message);
		return false;
	}
	return extract_disk(gatherer, files);
}

static void no_checkpoint(void *context, const struct facts *facts)
{
	(void)context;
	(void)facts;
}

void facts_extract(const struct input *input, const struct extract_files *files, struct arena *arena,
                   struct facts *facts)
{
	static const struct questions nothing;
	struct gatherer gatherer = {
		.input = input,
		.questions = &nothing,
		.checkpoint = no_checkpoint,
		.arena = arena,
		.budget = budget_default(),
		.facts = facts,
	};
	*facts = (struct facts){ 0 };
	bool sound = extract(&gatherer, files);
	/* Damage elsewhere on the disk is no reason why what was wanted is not there. */
	facts->reason = sound ? NULL : facts->problems.items[facts->problems.count - 1].message;
	if (sound)
		facts->examined = EXAMINED_FULL;
	gather_close(&gatherer);
}
