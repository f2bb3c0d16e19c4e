// A running machine as it has sent itself: a tar of its /proc and /sys (machine/capture.sh, machine/init/).
// What takes a system call stands in it as text:
//
//   slipway/release    uname -r
//   slipway/hardware   uname -m
//   slipway/offloads   of network interfaces: lines of live/ethtool.h, or what `ethtool -k` prints
//
// Nothing else of the machine's files is there, so nothing is said of its settings.
#include <string.h>

#include "facts/gatherer.h"
#include "fs/tarfs.h"
#include "live/ethtool.h"
#include "live/machine.h"

#define ANSWER_MAX ((size_t)64 << 10)

/* A text file, trimmed; NULL: it is not there. */
static char *load_answer(struct gatherer *gatherer, const char *path)
{
	struct error error = { 0 };
	struct span text;
	if (!tree_load(&gatherer->tree, path, ANSWER_MAX, gatherer->arena, &text, NULL, &error))
		return NULL;
	char *answer = arena_string(gatherer->arena, span_trim(text));
	return *answer ? answer : NULL;
}

static struct machine_answers load_answers(struct gatherer *gatherer)
{
	struct text offloads CLEANUP(text_free) = { 0 };
	struct machine_answers answers = {
		.release = load_answer(gatherer, "/slipway/release"),
		.hardware = load_answer(gatherer, "/slipway/hardware"),
		.root = true,
	};
	const char *said = load_answer(gatherer, "/slipway/offloads");
	if (said) {
		ethtool_of_program(said, &offloads);
		answers.offloads = arena_strdup(gatherer->arena, text_get(&offloads));
	}
	return answers;
}

/* The tree in the tar; false: the reason is told. */
static bool open_tree(struct gatherer *gatherer)
{
	struct error error = { 0 };
	struct facts *facts = gatherer->facts;
	struct filesystem *root = arena_alloc(gatherer->arena, sizeof(*root));
	if (!disk_open(gatherer->input, &gatherer->budget, gatherer->arena, &gatherer->disk, &error) ||
	    (gatherer->disk->archive &&
	     !tarfs_open(gatherer->disk->archive, &gatherer->budget, gatherer->arena, root, &error))) {
		facts->reason = error.code == ERROR_LIMIT
		                        ? "what the machine sent of itself is more than one has to tell"
		                        : arena_printf(gatherer->arena,
		                                       "what the machine sent of itself cannot be read: %s",
		                                       error.message);
		return false;
	}
	if (!gatherer->disk->archive) {
		facts->reason = "what the machine sent of itself is no tar archive";
		return false;
	}
	gatherer->filesystems.items = arena_alloc(gatherer->arena, sizeof(struct filesystem *));
	gatherer->filesystems.items[gatherer->filesystems.count++] = root;
	gatherer->tree = tree_of(root);
	root->type = gather_root_type(gatherer);
	return true;
}

void gather_capture(struct gatherer *gatherer)
{
	struct facts *facts = gatherer->facts;
	if (!open_tree(gatherer))
		return;
	const struct tar_archive *archive = gatherer->disk->archive;
	struct machine_answers answers = load_answers(gatherer);
	facts->kind = INPUT_LIVE;
	facts->examined = EXAMINED_PARTIAL;
	facts->container = "capture";
	if (archive->damage || !archive->has_end)
		gather_note_gap(gatherer, "tar-damaged", NULL,
		                "what the machine sent of itself is not whole%s%s",
		                archive->damage ? ": " : "", archive->damage ? archive->damage : "");
	os_identify(&gatherer->tree, gatherer->arena, &facts->os);
	gather_running_kernel(gatherer, &answers);
	hardware_read(&gatherer->tree, &answers, &gatherer->budget, gatherer->arena, &facts->hardware);
	if (!facts->reason)
		facts->examined = EXAMINED_FULL;
}
