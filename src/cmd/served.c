#include "cmd/served.h"

#include <signal.h>
#include <sys/stat.h>

#define PROGRAM "qemu-nbd"

#define SAID_MOST 300 /* characters of a server's own words in a sentence */

/* What the worker may ask for, and nothing else: its answer is but a number. */
static const struct {
	const char *name;   /* in reports */
	const char *driver; /* of QEMU, with what it has to be told */
} formats[] = {
	[SERVED_QED] = { "qed", "\"qed\"" },
	[SERVED_VMDK] = { "vmdk", "\"vmdk\"" },
	[SERVED_VHDX] = { "vhdx", "\"vhdx\"" },
	/* Not rounded to what cylinders, heads and sectors can say: the backup GPT stands in the last sector.
	 */
	[SERVED_VHD] = { "vhd", "\"vpc\", \"force_size_calc\": \"current_size\"" },
	[SERVED_VDI] = { "vdi", "\"vdi\"" },
	[SERVED_PARALLELS] = { "parallels", "\"parallels\"" },
};

const char *served_name(enum served format)
{
	return formats[format].name;
}

enum served served_of_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].name && str_equal(formats[i].name, name))
			return (enum served)i;
	return SERVED_NOT;
}

static bool not_had(struct examination *out, enum status status, const char *reason)
{
	out->facts.examined = EXAMINED_NONE;
	out->facts.reason = reason;
	out->status = status;
	return false;
}

/*
 * The file is the one that is open, whatever its path leads to by now; the format is given and not guessed;
 * and no other file is opened, whatever the header may be found to name after all.
 */
static const char *describe_image(int input, enum served format, struct arena *arena)
{
	struct stat status;
	bool is_device = fstat(input, &status) == 0 && S_ISBLK(status.st_mode);
	return arena_printf(
		arena,
		"json:{\"driver\": %s, \"read-only\": true, \"backing\": null, \"file\": {\"driver\": "
		"\"%s\", \"filename\": \"" SERVER_INPUT_PATH "\", \"read-only\": true, "
		"\"locking\": \"off\"}}",
		formats[format].driver, is_device ? "host_device" : "file");
}

bool served_start(int input, enum served format, struct arena *arena, struct server *server,
                  struct examination *out)
{
	struct error error = { 0 };
	const char *program = server_find(PROGRAM, arena);
	if (!program)
		return not_had(
			out, STATUS_NOT_EXAMINED,
			arena_printf(arena,
		                     "reading a %s image takes " PROGRAM ", which is not there: install the "
		                     "package qemu-utils (Debian, Ubuntu) or qemu-img (Fedora, Alpine)",
		                     formats[format].name));
	const char *words[] = { PROGRAM, "--read-only", "--shared=1", describe_image(input, format, arena),
		                NULL };
	if (!server_start(program, words, input, server, &error))
		return not_had(out, STATUS_TEMPORARY,
		               arena_printf(arena, PROGRAM " cannot be started: %s", error.message));
	return true;
}

/* Without its own name in front, and the words that we gave it. */
static struct span plain_words(const struct text *said)
{
	static const char prefix[] = PROGRAM ": ", end_of_ours[] = "}': ";
	struct span words = span_of(said->data, said->size);
	size_t ours = span_find(words, 0, end_of_ours, sizeof(end_of_ours) - 1);
	if (ours != SIZE_MAX)
		words = span_from(words, ours + sizeof(end_of_ours) - 1);
	else if (span_has(words, 0, prefix, sizeof(prefix) - 1))
		words = span_from(words, sizeof(prefix) - 1);
	if (words.size > SAID_MOST)
		words.size = SAID_MOST;
	return words;
}

static const char *describe_end(const struct server_result *result, enum served format, struct arena *arena)
{
	struct span words = plain_words(&result->said);
	if (result->end == SERVER_KILLED)
		return arena_printf(arena, PROGRAM " was ended by signal %d while it read this %s image%s",
		                    result->signal, formats[format].name,
		                    result->signal == SIGKILL ? ": try again" : ": the image may be damaged");
	return arena_printf(arena, PROGRAM " cannot read this %s image: %s", formats[format].name,
	                    words.size ? arena_string(arena, words) : "it does not say why");
}

void served_stop(struct server *server, enum served format, struct arena *arena, struct examination *out)
{
	struct server_result result;
	bool all_well = out->facts.examined == EXAMINED_FULL;
	server_stop(server, &result);
	if (result.end != SERVER_STOPPED) {
		if (all_well)
			out->facts.examined = EXAMINED_PARTIAL;
		out->facts.reason = describe_end(&result, format, arena);
		out->status = graver_status(out->status, result.signal == SIGKILL ? STATUS_TEMPORARY
		                                                                  : STATUS_NOT_EXAMINED);
	}
	text_free(&result.said);
}
