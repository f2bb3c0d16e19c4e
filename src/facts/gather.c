// One input to its facts: by what it is, and then in stages.
#include <stdarg.h>
#include <stdio.h>

#include "disk/tar.h"
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

void gather_system(struct gatherer *gatherer)
{
	struct facts *facts = gatherer->facts;
	os_identify(&gatherer->tree, gatherer->arena, &facts->os);
	guest_observe(&gatherer->tree, &facts->os, gatherer->arena, &facts->observations);
	gather_checkpoint(gatherer);
	gather_kernels(gatherer);
}

/* A disk that could not be read in one place was not fully examined, whatever the readers made of that. */
static void note_failure(struct gatherer *gatherer)
{
	if (!gatherer->disk->failure[0] || gatherer->facts->examined != EXAMINED_FULL)
		return;
	gatherer->facts->examined = EXAMINED_PARTIAL;
	gather_note_gap(gatherer, "disk-unreadable", NULL, "%s", gatherer->disk->failure);
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
	if (gatherer->disk->problem.code)
		*LIST_ADD(gatherer->arena, &facts->problems) = gatherer->disk->problem;
	if (gatherer->disk->served == SERVED_NOT) {
		gather_disk(gatherer);
		note_failure(gatherer);
		return;
	}
	facts->served = gatherer->disk->served;
	facts->container = gatherer->disk->container;
	facts->reason = "it has to be read through a server";
}

static bool gather_tar(struct gatherer *gatherer, const struct reader *bytes)
{
	uint8_t block[TAR_BLOCK];
	struct error error = { 0 };
	return bytes->size >= sizeof(block) && reader_read(bytes, 0, block, sizeof(block), &error) &&
	       tar_is_header(span_of(block, sizeof(block))) && gather_root_tar(gatherer, bytes, "tar");
}

/* A file: a part of a system, or else a disk. */
static void gather_file(struct gatherer *gatherer)
{
	struct error error = { 0 };
	if (disk_open_bytes(gatherer->input, &gatherer->disk, &error) &&
	    (gather_part(gatherer, &gatherer->disk->reader) || gather_tar(gatherer, &gatherer->disk->reader)))
		return;
	disk_close(gatherer->disk);
	gatherer->disk = NULL;
	gather_wrapped(gatherer);
}

static const struct {
	enum input_source source;
	void (*gather)(struct gatherer *gatherer);
} sources[] = {
	{ SOURCE_FILE, gather_file },
	{ SOURCE_SERVER, gather_wrapped },
	{ SOURCE_DIRECTORY, gather_directory },
};

void facts_gather(const struct input *input, const struct questions *questions, facts_checkpoint_fn *checkpoint,
                  void *context, struct arena *arena, struct facts *facts)
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

	for (size_t i = 0; i < gatherer.filesystems.count; i++)
		fs_close(gatherer.filesystems.items[i]);
	disk_close(gatherer.disk);
}
