// The tar.gz that the platform imports: what is in it, whose headers it has, and what it is called.
#include <inttypes.h>

#include "base/text.h"
#include "policy/checks.h"

/* Neither compressed nor in an archive: a disk that is yet to be packed, and by whom is not for us to say. */
static bool is_packed(const struct context *context, struct outcome *outcome)
{
	const struct facts *facts = context->facts;
	if (!facts->container)
		outcome_set(context, outcome, VERDICT_UNKNOWN, "the input's format is not known");
	else if (!facts->packing.is_tar && !facts->packing.compression)
		outcome_set(context, outcome, VERDICT_NOT_APPLICABLE, "the input is a %s disk, not a tar.gz",
		            facts->container);
	return facts->container && (facts->packing.is_tar || facts->packing.compression);
}

/* The same for what only an archive has. */
static bool is_archive(const struct context *context, struct outcome *outcome)
{
	if (!is_packed(context, outcome))
		return false;
	if (!context->facts->packing.is_tar)
		outcome_set(context, outcome, VERDICT_NOT_APPLICABLE,
		            "the input is a %s file without a tar in it",
		            context->facts->packing.compression);
	return context->facts->packing.is_tar;
}

static void add_member(const struct context *context, struct outcome *outcome,
                       const struct packed_member *member)
{
	const struct place place = {
		.text = arena_printf(context->arena, "%s: %s, %s header at byte %" PRIu64 " of the archive",
		                     member->name, member->type, member->format, member->header),
	};
	outcome_evidence(context, outcome, &place);
}

void check_tar_member(const struct context *context, struct outcome *outcome)
{
	const struct packing *packing = &context->facts->packing;
	if (!is_archive(context, outcome))
		return;
	for (size_t i = 0; i < packing->members.count; i++)
		add_member(context, outcome, &packing->members.items[i]);
	outcome->finding.found = packing->disk.name;
	if (packing->member_count != 1)
		outcome_set(context, outcome, VERDICT_FAIL,
		            "the archive has %" PRIu64 " members, where disk.raw has to be the only one",
		            packing->member_count);
	else if (!str_equal(packing->disk.name, "disk.raw"))
		outcome_set(context, outcome, VERDICT_FAIL, "the member is named %s, not disk.raw",
		            packing->disk.name);
	else
		outcome_set(context, outcome, VERDICT_PASS, "disk.raw is the only member");
}

void check_tar_format(const struct context *context, struct outcome *outcome)
{
	const struct packed_member *disk = &context->facts->packing.disk;
	if (!is_archive(context, outcome))
		return;
	bool is_gnu = str_equal(disk->format, "gnu");
	add_member(context, outcome, disk);
	outcome->finding.found = disk->format;
	outcome_set(context, outcome, is_gnu ? VERDICT_PASS : VERDICT_FAIL,
	            "the header's fields are those of %s%s", is_gnu ? "GNU tar" : disk->format,
	            is_gnu ? "" : ", not GNU tar's");
}

/* Compressed with gzip, to its last byte. */
static bool is_sound_gzip(const struct context *context, struct outcome *outcome)
{
	const struct packing *packing = &context->facts->packing;
	if (!packing->compression)
		outcome_set(context, outcome, VERDICT_FAIL,
		            "it is not compressed: the import takes a tar.gz");
	else if (!str_equal(packing->compression, "gzip"))
		outcome_set(context, outcome, VERDICT_FAIL, "it is compressed with %s, not with gzip",
		            packing->compression);
	else if (!packing->is_tar)
		outcome_set(context, outcome, VERDICT_FAIL,
		            "it is compressed with gzip, and no tar is inside");
	else if (packing->garbage)
		outcome_set(context, outcome, VERDICT_UNKNOWN,
		            "something that is no gzip follows the archive at byte %" PRIu64
		            ", of which gzip warns, and what the import does then is not known",
		            packing->garbage);
	else
		return true;
	return false;
}

void check_tar_name(const struct context *context, struct outcome *outcome)
{
	const char *name = context->facts->packing.file_name;
	if (!is_packed(context, outcome))
		return;
	outcome->finding.found = name ? name : context->facts->container;
	if (str_starts(context->facts->container, "qcow2"))
		outcome->finding.fix =
			"qemu-img convert -O raw disk.qcow2 disk.raw && tar --format=oldgnu -Sczf "
			"image.tar.gz disk.raw";
	if (!is_sound_gzip(context, outcome))
		return;
	if (!name)
		outcome_set(context, outcome, VERDICT_NOT_APPLICABLE,
		            "what comes through a pipe has no name; it is a tar compressed with gzip");
	else if (str_ends(name, ".tar.gz"))
		outcome_set(context, outcome, VERDICT_PASS, "%s is compressed with gzip", name);
	else
		outcome_set(context, outcome, VERDICT_FAIL, "the name %s does not end in .tar.gz", name);
}
