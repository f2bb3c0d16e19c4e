#include "disk/tar.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "disk/tar_private.h"

bool tar_block(struct tar_walk *walk, uint64_t offset, struct span *out, struct error *error)
{
	if (offset < walk->window_at ||
	    !range_inside(offset - walk->window_at, TAR_BLOCK, walk->window_size)) {
		uint64_t left = offset < walk->in->size ? walk->in->size - offset : 0;
		size_t size = left < sizeof(walk->window) ? (size_t)left : sizeof(walk->window);
		if (left < TAR_BLOCK)
			return error_set(error, ERROR_TRUNCATED,
			                 "the tar archive ends at offset %" PRIu64
			                 ", in the middle of the header at %" PRIu64,
			                 walk->in->size, offset);
		walk->window_size = 0;
		if (!reader_read(walk->in, offset, walk->window, size, error))
			return false;
		walk->window_at = offset;
		walk->window_size = size;
	}
	*out = span_of(walk->window + (offset - walk->window_at), TAR_BLOCK);
	return true;
}

/* Where the next header is, behind `size` bytes of data from `data` on. */
static bool pass(struct tar_walk *walk, uint64_t data, uint64_t size, struct error *error)
{
	uint64_t padded;
	if (!align_up_u64(size, TAR_BLOCK, &padded) || !add_u64(data, padded, &walk->offset))
		return tar_error(error, walk->offset, "has a size that no archive has room for");
	return true;
}

static bool read_size(const struct tar_walk *walk, struct span header, uint64_t *out, struct error *error)
{
	int64_t size;
	if (!tar_number(header, TAR_SIZE, 12, &size) || size < 0)
		return tar_error(error, walk->offset, "has a size that is no number");
	*out = (uint64_t)size;
	return true;
}

/* The whole content of an extended header; freed by the caller. */
static bool load_content(struct tar_walk *walk, uint64_t size, uint8_t **out, struct error *error)
{
	uint64_t data = walk->offset + TAR_BLOCK;
	if (size > TAR_EXTENDED_MOST)
		return error_set(error, ERROR_LIMIT,
		                 "the tar header at offset %" PRIu64 " is an extended one of %" PRIu64
		                 " bytes, more than are read",
		                 walk->offset, size);
	if (!range_inside(data, size, walk->in->size))
		return error_set(error, ERROR_TRUNCATED,
		                 "the tar archive ends at offset %" PRIu64
		                 ", in the middle of the extended header at %" PRIu64,
		                 walk->in->size, walk->offset);
	if (!budget_step(walk->budget, 1 + size / TAR_BLOCK, "the tar archive", error))
		return false;
	uint8_t *bytes = xmalloc((size_t)size + 1);
	if (!reader_read(walk->in, data, bytes, (size_t)size, error)) {
		free(bytes);
		return false;
	}
	*out = bytes;
	return true;
}

/* One of those that belong to the member behind them. */
static bool take_extended(struct tar_walk *walk, struct span header, char type, struct error *error)
{
	uint64_t size;
	uint8_t *bytes;
	if (!read_size(walk, header, &size, error) || !load_content(walk, size, &bytes, error))
		return false;
	struct span content = span_of(bytes, (size_t)size);
	bool sound = true;
	switch (type) {
	case 'L':
		walk->local.path = arena_string(walk->arena, content);
		break;
	case 'K':
		walk->local.link = arena_string(walk->arena, content);
		break;
	case 'g':
		sound = tar_pax_parse(walk, content, &walk->global, error);
		walk->has_global = true;
		break;
	default:
		sound = tar_pax_parse(walk, content, &walk->local, error);
		walk->has_local = true;
	}
	free(bytes);
	return sound && pass(walk, walk->offset + TAR_BLOCK, size, error);
}

/* The name in the header's own fields. */
static const char *header_name(const struct tar_walk *walk, struct span header)
{
	struct span name, prefix;
	if (!span_slice(header, TAR_NAME, TAR_NAME_LENGTH, &name))
		return "";
	const char *plain = arena_string(walk->arena, name);
	/* Jörg Schilling's star has times behind the first 131 bytes of the prefix, and says so at the end.
	 */
	size_t length = span_has(header, 508, "tar\0", 4) ? 131 : 155;
	if (!str_equal(tar_format(header), "ustar") || !span_slice(header, TAR_PREFIX, length, &prefix) ||
	    prefix.data[0] == '\0')
		return plain;
	return arena_printf(walk->arena, "%s/%s", arena_string(walk->arena, prefix), plain);
}

/* Of no weight here: what cannot be read is 0. */
static uint32_t small_number(struct span header, size_t offset)
{
	int64_t value;
	return tar_number(header, offset, 8, &value) && value >= 0 && value <= UINT32_MAX ? (uint32_t)value
	                                                                                  : 0;
}

/* All other letters are files to POSIX; but a directory of old programs is a file with a '/' behind its name.
 */
static char plain_type(char type, const char *name)
{
	if (type == 'D') /* GNU: a directory with a list of its names */
		return TAR_DIRECTORY;
	if (type == TAR_CONTINUED || (type > TAR_FILE && type <= TAR_FIFO))
		return type;
	return str_ends(name, "/") ? TAR_DIRECTORY : TAR_FILE;
}

#define GIVEN(walk, field)                                                                                   \
	((walk)->local.field.given    ? &(walk)->local.field.value                                           \
	 : (walk)->global.field.given ? &(walk)->global.field.value                                          \
	                              : NULL)

/* The fields that extended headers may replace. */
static void fill_member(const struct tar_walk *walk, struct span header, struct tar_member *member)
{
	const uint64_t *uid = GIVEN(walk, uid), *gid = GIVEN(walk, gid);
	const int64_t *mtime = GIVEN(walk, mtime);
	const struct tar_overrides *local = &walk->local, *global = &walk->global;
	member->name = local->sparse_name ? local->sparse_name
	               : local->path      ? local->path
	               : global->path     ? global->path
	                                  : header_name(walk, header);
	struct span link;
	char type = (char)header.data[TAR_TYPE];
	member->type = plain_type(type, member->name);
	if ((type == TAR_HARD_LINK || type == TAR_SYMLINK) &&
	    span_slice(header, TAR_LINK, TAR_NAME_LENGTH, &link))
		member->link = local->link    ? local->link
		               : global->link ? global->link
		                              : arena_string(walk->arena, link);
	member->format = walk->has_local || walk->has_global ? "pax" : tar_format(header);
	member->mode = small_number(header, TAR_MODE) & 07777;
	member->uid = uid && *uid <= UINT32_MAX ? (uint32_t)*uid : small_number(header, TAR_UID);
	member->gid = gid && *gid <= UINT32_MAX ? (uint32_t)*gid : small_number(header, TAR_GID);
	if (mtime)
		member->mtime = *mtime;
	else if (!tar_number(header, TAR_MTIME, 12, &member->mtime))
		member->mtime = 0;
}

/* What is stored of it, and where. A link, a directory, a device has a size at most, and no data. */
static bool find_data(struct tar_walk *walk, struct span header, struct tar_member *member,
                      struct error *error)
{
	char type = (char)header.data[TAR_TYPE];
	bool has_data = type < TAR_HARD_LINK || type > TAR_FIFO;
	const uint64_t *size = GIVEN(walk, size);
	if (size)
		member->stored = *size;
	else if (!read_size(walk, header, &member->stored, error))
		return false;
	if (!has_data)
		member->stored = 0;
	member->data = walk->offset + TAR_BLOCK;
	if (member->type == TAR_FILE)
		member->size = member->stored;
	uint64_t stored = member->stored;
	if (type == 'S' && !tar_sparse_gnu(walk, header, member, error))
		return false;
	uint64_t data = member->data;
	if (type != 'S' && member->type == TAR_FILE &&
	    (walk->local.has_map || walk->local.sparse_major.given) &&
	    !tar_sparse_pax(walk, &walk->local, member, error))
		return false;
	/* The map of format 1.0 counts as stored. */
	return pass(walk, type == 'S' ? data : walk->offset + TAR_BLOCK, stored, error);
}

static bool take_member(struct tar_walk *walk, struct span header, struct error *error)
{
	struct tar_archive *out = walk->out;
	if (out->members.count >= TAR_MEMBERS_MOST)
		return error_set(error, ERROR_LIMIT, "the tar archive has more than %zu members",
		                 TAR_MEMBERS_MOST);
	struct tar_member member = { .header = walk->first };
	fill_member(walk, header, &member);
	if (!find_data(walk, header, &member, error))
		return false;
	*LIST_ADD(walk->arena, &out->members) = member;
	walk->local = (struct tar_overrides){ 0 };
	walk->has_local = false;
	out->end = walk->offset;
	uint64_t end = UINT64_MAX;
	if (!add_u64(member.data, member.stored, &end) || end > walk->in->size)
		return error_set(error, ERROR_TRUNCATED,
		                 "the tar archive ends at offset %" PRIu64 ", %" PRIu64
		                 " bytes before its member %.200s does",
		                 walk->in->size, end - walk->in->size, member.name);
	return true;
}

static bool take_header(struct tar_walk *walk, struct span header, struct error *error)
{
	char type = (char)header.data[TAR_TYPE];
	uint64_t size;
	switch (type) {
	case 'L':
	case 'K':
	case 'g':
	case 'x':
	case 'X': /* Solaris's own, of the same form */
		return take_extended(walk, header, type, error);
	case 'V': /* GNU: the volume's label */
	case 'N': /* GNU, of old: names that no one writes any more */
		return read_size(walk, header, &size, error) &&
		       pass(walk, walk->offset + TAR_BLOCK, type == 'N' ? size : 0, error);
	default:
		return take_member(walk, header, error);
	}
}

/* GNU tar ends at one block of zeros, too, but warns of it where something else comes behind. */
static bool is_end_mark(struct tar_walk *walk, uint64_t offset)
{
	struct span second;
	struct error error = { 0 };
	if (!tar_block(walk, offset + TAR_BLOCK, &second, &error))
		return error.code == ERROR_TRUNCATED;
	return span_is_zero(second);
}

/* One header; *ended at the end mark, or where the reader ends behind a member. */
static bool step(struct tar_walk *walk, bool *ended, struct error *error)
{
	struct span header;
	bool at_start = walk->offset == 0, between = walk->offset == walk->first;
	*ended = between && !at_start && walk->offset >= walk->in->size;
	if (*ended)
		return true;
	if (!budget_step(walk->budget, 1, "the tar archive", error) ||
	    !tar_block(walk, walk->offset, &header, error))
		return false;
	if (between && !at_start && span_is_zero(header)) {
		walk->out->has_end = is_end_mark(walk, walk->offset);
		*ended = true;
		return true;
	}
	if (!tar_is_header(header))
		return tar_error(error, walk->offset,
		                 at_start ? "is none: its checksum is wrong"
		                          : "is damaged: its checksum is wrong");
	size_t members = walk->out->members.count;
	char type = (char)header.data[TAR_TYPE];
	if (!take_header(walk, header, error))
		return false;
	if (walk->out->members.count > members || type == 'g' || type == 'V' || type == 'N')
		walk->first = walk->offset;
	return true;
}

bool tar_read(const struct reader *in, struct budget *budget, struct arena *arena, struct tar_archive *out,
              struct error *error)
{
	*out = (struct tar_archive){ .in = *in };
	struct tar_walk *walk = xmalloc(sizeof(*walk));
	*walk = (struct tar_walk){ .in = in, .budget = budget, .arena = arena, .out = out };
	bool sound = true;
	for (bool ended = false; sound && !ended;)
		sound = step(walk, &ended, error);
	free(walk);
	if (!sound) {
		out->damage = arena_strdup(arena, error->message);
		out->is_cut = error->code == ERROR_TRUNCATED;
	}
	return sound;
}

const char *tar_plain_name(const char *name)
{
	while (name[0] == '/' || (name[0] == '.' && name[1] == '/'))
		name += name[0] == '/' ? 1 : 2;
	return name;
}
