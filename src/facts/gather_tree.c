// The root file system of a system by itself: no disk, no boot loader, and so no entry that says which kernel
// boots.
#include "facts/gatherer.h"
#include "fs/tarfs.h"

static bool has_directory(const struct tree *tree, const char *path)
{
	struct tree_file file;
	struct error error = { 0 };
	return tree_lookup(tree, path, &file, &error) && file.node.type == NODE_DIRECTORY;
}

/* Every Linux system has one of them. */
static bool holds_system(const struct tree *tree)
{
	return has_directory(tree, "/etc") || has_directory(tree, "/usr");
}

/*
 * Rules that ask for nothing bad to be there would pass of an empty directory. Where something could not be
 * had, that is the reason already.
 */
static void note_no_system(struct gatherer *gatherer)
{
	const struct facts *facts = gatherer->facts;
	if (!facts->reason && !facts->os.place.path && facts->os.init_found != ANSWER_YES &&
	    facts->kernels.count == 0)
		gather_note_gap(gatherer, "system-missing", NULL,
		                "it holds neither os-release nor an init nor a kernel: is it the root of a "
		                "whole system?");
}

/* The system in an open root file system. */
static void gather_root(struct gatherer *gatherer, struct filesystem *root, const char *container)
{
	struct facts *facts = gatherer->facts;
	facts->kind = INPUT_TREE;
	facts->examined = EXAMINED_PARTIAL;
	facts->container = container;
	for (size_t i = 0; i < root->problems.count; i++)
		*LIST_ADD(gatherer->arena, &facts->problems) = root->problems.items[i];
	gatherer->tree = tree_of(root);
	gatherer->filesystems.items = arena_alloc(gatherer->arena, sizeof(struct filesystem *));
	gatherer->filesystems.items[gatherer->filesystems.count++] = root;
	fstab_read(&gatherer->tree, gatherer->arena, &facts->fstab);
	gather_system(gatherer);
	note_no_system(gatherer);
}

static void conclude(struct gatherer *gatherer)
{
	if (!gatherer->facts->reason)
		gatherer->facts->examined = EXAMINED_FULL;
	gather_checkpoint(gatherer);
}

static void note_unread(struct gatherer *gatherer)
{
	const struct hostdir_use *use = gatherer->directory;
	const struct place place = { .path = use->first_denied }, failed = { .path = use->first_failed };
	if (use->denied > 0)
		gather_note_gap(gatherer, "permission-denied", &place, "%s may not be read by this user: %s",
		                use->first_denied, HOSTDIR_DENIED);
	if (use->first_failed)
		gather_note_gap(gatherer, "file-unreadable", &failed, "%s cannot be read: %s",
		                use->first_failed, use->failure);
}

void gather_directory(struct gatherer *gatherer)
{
	struct error error = { 0 };
	struct facts *facts = gatherer->facts;
	struct filesystem *root = arena_alloc(gatherer->arena, sizeof(*root));
	if (!hostdir_open(gatherer->input->descriptor, &gatherer->budget, gatherer->arena, root, &error)) {
		facts->reason = arena_strdup(gatherer->arena, error.message);
		return;
	}
	struct tree tree = tree_of(root);
	if (!holds_system(&tree)) {
		facts->reason =
			"it holds no Linux system, neither /etc nor /usr: give the root directory of one";
		fs_close(root);
		return;
	}
	gatherer->directory = hostdir_use(root);
	gather_root(gatherer, root, "directory");
	note_unread(gatherer);
	conclude(gatherer);
	gatherer->directory = NULL; /* it ends with the file system */
}

/* Container tools save an image as layers, which only they put together. */
static bool holds_layers(const struct tree *tree)
{
	return tree_exists(tree, "/oci-layout") || tree_exists(tree, "/manifest.json");
}

bool gather_root_tar(struct gatherer *gatherer, const struct tar_archive *archive, const char *container)
{
	struct error error = { 0 };
	struct filesystem *root = arena_alloc(gatherer->arena, sizeof(*root));
	if (!tarfs_open(archive, &gatherer->budget, gatherer->arena, root, &error)) {
		gatherer->facts->reason = arena_strdup(gatherer->arena, error.message);
		return true;
	}
	struct tree tree = tree_of(root);
	const char *gap = tarfs_gap(archive, gatherer->arena);
	bool is_system = holds_system(&tree), is_layers = !is_system && holds_layers(&tree);
	if (!is_system && !is_layers) {
		gatherer->facts->reason = gap; /* a system may be behind it */
		return gap != NULL;
	}
	if (is_layers) {
		gatherer->facts->reason =
			"it holds the layers of a container image, and no root file system: give "
			"what `docker export` or `podman export` writes of a container";
		return true;
	}
	if (gap)
		gather_note_gap(gatherer, "tar-damaged", NULL, "%s", gap);
	/* A member that is left out may be what a rule looks for. */
	if (root->problems.count > 0 && !gatherer->facts->reason)
		gatherer->facts->reason = root->problems.items[0].message;
	gather_root(gatherer, root, container);
	conclude(gatherer);
	return true;
}
