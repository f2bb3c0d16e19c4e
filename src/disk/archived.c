// A tar archive: of a disk, when one of its members is the disk; or of something else, which is for others to
// say.
#include <string.h>

#include "base/text.h"
#include "disk/container.h"

static const char *type_name(const struct tar_member *member)
{
	switch (member->type) {
	case TAR_FILE:
		return "file";
	case TAR_HARD_LINK:
		return "hard link";
	case TAR_SYMLINK:
		return "symbolic link";
	case TAR_DIRECTORY:
		return "directory";
	case TAR_CHARACTER:
	case TAR_BLOCK_DEV:
		return "device";
	case TAR_FIFO:
		return "pipe";
	default:
		return "part of a file";
	}
}

static struct packed_member describe(const struct tar_member *member)
{
	return (struct packed_member){
		.name = member->name,
		.type = type_name(member),
		.format = member->format,
		.sparse = member->sparse,
		.size = member->size,
		.header = member->header,
	};
}

/* A boot sector, or a GPT behind it in sectors of 512 or 4096 bytes. */
static bool content_is_disk(const struct tar_archive *archive, const struct tar_member *member)
{
	uint8_t head[4096 + 8] = { 0 };
	struct error ignored = { 0 };
	size_t size = member->size < sizeof(head) ? (size_t)member->size : sizeof(head);
	struct span bytes = span_of(head, size);
	return tar_member_read(archive, member, 0, head, size, &ignored) &&
	       (span_has(bytes, 510, "\x55\xaa", 2) || span_has(bytes, 512, "EFI PART", 8) ||
	        span_has(bytes, 4096, "EFI PART", 8));
}

/*
 * The last file named disk.raw, as unpacking would leave it; or the only file, when it looks like a disk. Of
 * a system, which begins with folders, a kernel does: where the end is missing, it may be the first of many.
 */
static const struct tar_member *find_disk(const struct tar_archive *archive)
{
	const struct tar_member *named = NULL, *only = NULL;
	size_t files = 0;
	for (size_t i = 0; i < archive->members.count; i++) {
		const struct tar_member *member = &archive->members.items[i];
		if (member->type != TAR_FILE)
			continue;
		files++;
		only = member;
		if (str_equal(tar_plain_name(member->name), "disk.raw"))
			named = member;
	}
	if (named || files != 1 || (!archive->has_end && archive->members.count > 1))
		return named;
	bool by_name = str_ends(only->name, ".raw") || str_ends(only->name, ".img");
	return by_name || content_is_disk(archive, only) ? only : NULL;
}

bool tar_open(struct disk *disk, struct error *error)
{
	struct arena *arena = disk->state->arena;
	struct packing *packing = &disk->packing;
	struct tar_archive *archive = arena_alloc(arena, sizeof(*archive));
	/* Of a system in a cut archive there is something to be said; a cut disk is none. */
	bool whole = tar_read(&disk->reader, disk->state->budget, arena, archive, error);
	packing->is_tar = true;
	packing->member_count = archive->members.count;
	for (size_t i = 0; i < archive->members.count && i < PACKING_MEMBERS_TOLD; i++)
		*LIST_ADD(arena, &packing->members) = describe(&archive->members.items[i]);
	const struct tar_member *member = find_disk(archive);
	if (!whole && (member || archive->members.count == 0))
		return false;
	disk->archive = archive;
	if (member) {
		packing->disk = describe(member);
		disk->reader = tar_member_reader(archive, member, arena);
	}
	return true;
}
