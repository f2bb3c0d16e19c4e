#include "machine/cpio.h"

#include <string.h>

/* Header and name together, and the content, each fill up words of four bytes. */
static void align(struct text *archive)
{
	while (archive->size % 4)
		text_add_char(archive, '\0');
}

void cpio_add(struct text *archive, const struct cpio_member *member)
{
	/* Magic; inode, mode, owner, group, links, time, size, device of the file, device that it is, length
	 * of the name with its NUL, checksum (none): eight hexadecimal digits each. */
	const unsigned fields[] = {
		0,
		member->mode,
		0,
		0,
		1,
		0,
		(unsigned)member->content.size,
		0,
		0,
		member->major,
		member->minor,
		(unsigned)strlen(member->name) + 1,
		0,
	};
	text_add(archive, "070701");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		text_printf(archive, "%08X", fields[i]);
	text_add(archive, member->name);
	text_add_char(archive, '\0');
	align(archive);
	text_add_span(archive, member->content);
	align(archive);
}

void cpio_end(struct text *archive)
{
	cpio_add(archive, &(struct cpio_member){ .name = "TRAILER!!!" });
}
