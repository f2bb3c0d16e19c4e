// One input to its facts: by what it is, and then in stages.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "facts/gatherer.h"

void gather_note_gap(struct gatherer *gatherer, const char *code, const struct place *place,
                     const char *format, ...)
{
	char message[sizeof(((struct error *)NULL)->message) + 128];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);

	struct facts *facts = gatherer->facts;
	struct problem *problem = LIST_ADD(gatherer->arena, &facts->problems);
	problem->code = code;
	problem->message = arena_strdup(gatherer->arena, message);
	if (place)
		problem->place = *place;
	/* The first gap is the one to mend first: later ones mostly follow from it. */
	if (!facts->reason)
		facts->reason = problem->message;
}

void gather_checkpoint(struct gatherer *gatherer)
{
	if (gatherer->disk)
		gatherer->facts->bytes_read = gatherer->disk->bytes_read;
	if (gatherer->directory)
		gatherer->facts->bytes_read = gatherer->directory->bytes_read;
	gatherer->checkpoint(gatherer->context, gatherer->facts);
}

void gather_close(struct gatherer *gatherer)
{
	for (size_t i = 0; i < gatherer->filesystems.count; i++)
		fs_close(gatherer->filesystems.items[i]);
	disk_close(gatherer->disk);
}

void gather_system(struct gatherer *gatherer)
{
	struct facts *facts = gatherer->facts;
	os_identify(&gatherer->tree, gatherer->arena, &facts->os);
	guest_observe(&gatherer->tree, &facts->os, gatherer->arena, &facts->observations);
	gather_checkpoint(gatherer);
	gather_kernels(gatherer);
}

/*
 * An input that could not be read in one place was not fully examined, whatever the readers made of that:
 * that they found no kernel, say. Where none of them has named it, the first read that failed is the reason.
 */
static void note_failure(struct gatherer *gatherer)
{
	struct facts *facts = gatherer->facts;
	const char *failure = gatherer->disk->failure;
	if (!failure[0])
		return;
	if (facts->examined == EXAMINED_FULL)
		facts->examined = EXAMINED_PARTIAL;
	if (facts->reason && !strstr(facts->reason, failure))
		facts->reason = NULL;
	bool told = false;
	for (size_t i = 0; i < facts->problems.count && !told; i++) {
		told = strstr(facts->problems.items[i].message, failure) != NULL;
		if (told && !facts->reason)
			facts->reason = facts->problems.items[i].message;
	}
	if (!told)
		gather_note_gap(gatherer, "disk-unreadable", NULL, "%s", failure);
}

/* The bytes of a file or a pipe, unpacked: a disk, the root of a system in a tar, or else a part of one. */
static void gather_opened(struct gatherer *gatherer)
{
	const struct disk *disk = gatherer->disk;
	bool is_packed = disk->packing.compression || gatherer->input->source == SOURCE_STREAM;
	if (disk->archive && !disk->packing.disk.name) {
		if (!gather_root_tar(gatherer, disk->archive, disk->container))
			gatherer->facts->reason =
				"it is a tar archive of neither a disk nor a system: it has no member "
				"disk.raw, no single file that looks like a disk, and neither /etc nor /usr";
		return;
	}
	if (disk->archive || !is_packed || !gather_part(gatherer, &disk->reader))
		gather_disk(gatherer);
}

/* What the container says against itself, when that is not told yet; its code. */
static const char *note_problem(struct gatherer *gatherer, const char *told)
{
	const struct problem *problem = &gatherer->disk->problem;
	if (problem->code && problem->code != told)
		*LIST_ADD(gatherer->arena, &gatherer->facts->problems) = *problem;
	return problem->code;
}

/* A disk in some wrapping. */
static void gather_wrapped(struct gatherer *gatherer)
{
	struct error error = { 0 };
	struct facts *facts = gatherer->facts;
	if (!disk_open(gatherer->input, &gatherer->budget, gatherer->arena, &gatherer->disk, &error)) {
		facts->reason = arena_strdup(gatherer->arena, error.message);
		return;
	}
	const char *told = note_problem(gatherer, NULL);
	if (gatherer->disk->served == SERVED_NOT) {
		facts->packing = gatherer->disk->packing;
		gather_opened(gatherer);
		note_problem(gatherer, told);
		note_failure(gatherer);
		return;
	}
	facts->served = gatherer->disk->served;
	facts->container = gatherer->disk->container;
	facts->reason = "it has to be read through a server";
}

/* A file: a part of a system, which may be compressed by itself, or else a disk. */
static void gather_file(struct gatherer *gatherer)
{
	struct error error = { 0 };
	if (disk_open_bytes(gatherer->input, &gatherer->disk, &error) &&
	    gather_part(gatherer, &gatherer->disk->reader)) {
		note_failure(gatherer);
		return;
	}
	disk_close(gatherer->disk);
	gatherer->disk = NULL;
	gather_wrapped(gatherer);
}

static const struct {
	enum input_source source;
	void (*gather)(struct gatherer *gatherer);
} sources[] = {
	{ SOURCE_FILE, gather_file },      { SOURCE_SERVER, gather_wrapped },
	{ SOURCE_STREAM, gather_wrapped }, { SOURCE_DIRECTORY, gather_directory },
	{ SOURCE_MACHINE, gather_live },   { SOURCE_CAPTURE, gather_capture },
};

void facts_gather(const struct input *input, const struct questions *questions,
                  facts_checkpoint_fn *checkpoint, void *context, struct arena *arena, struct facts *facts)
{
	struct gatherer gatherer = {
		.input = input,
		.questions = questions,
		.checkpoint = checkpoint,
		.context = context,
		.arena = arena,
		.budget = budget_default(),
		.facts = facts,
	};
	*facts = (struct facts){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		if (sources[i].source == input->source)
			sources[i].gather(&gatherer);
	gather_checkpoint(&gatherer);
	gather_close(&gatherer);
}
