// OpenRC with busybox: a shell loop over /etc/sysctl.conf and then /etc/sysctl.d/*.conf, which does nothing
// at all without /etc/sysctl.conf. The first " = " of a line becomes "=", the first word goes to `sysctl -w`,
// and a word without '=' is refused. No patterns, no exclusions; '#' alone starts a comment.
//
// Source: the sysctl service script of OpenRC.
#include <string.h>

#include "os/sysctl_private.h"

static bool is_blank(uint8_t character)
{
	return character == ' ' || character == '\t';
}

/* What sed 's/ = /=/' makes of the line. */
static struct span join_assignment(struct span line, struct arena *arena)
{
	size_t at = span_find(line, 0, " = ", 3);
	if (at == SIZE_MAX)
		return line;
	uint8_t *joined = arena_alloc(arena, line.size);
	memcpy(joined, line.data, at);
	joined[at] = '=';
	struct span rest = span_from(line, at + 3);
	if (rest.size > 0)
		memcpy(joined + at + 1, rest.data, rest.size);
	return span_of(joined, line.size - 2);
}

static void parse_line(struct sysctl_script *script, const struct sysctl_file *file, uint64_t number,
                       struct span line, struct arena *arena)
{
	struct span word = span_trim(join_assignment(line, arena));
	size_t length = 0;
	while (length < word.size && !is_blank(word.data[length]))
		length++;
	word.size = length;
	size_t equals = span_find(word, 0, "=", 1);
	if (length == 0 || word.data[0] == '#' || equals == SIZE_MAX)
		return;
	struct span value = span_from(word, equals + 1);
	word.size = equals;
	sysctl_script_add(script, file, number, span_trim(line), word, &value, arena);
}

static bool parse_file(struct sysctl_script *script, const struct sysctl_file *file, struct budget *budget,
                       struct arena *arena, struct error *error)
{
	struct span rest = file->content, line;
	for (uint64_t number = 1; span_next_line(&rest, &line); number++) {
		if (!budget_step(budget, 1, "sysctl lines", error))
			return false;
		parse_line(script, file, number, line, arena);
	}
	return true;
}

bool sysctl_script_busybox(const struct sysctl_files *files, struct budget *budget, struct arena *arena,
                           struct sysctl_script *out, struct error *error)
{
	*out = (struct sysctl_script){ 0 };
	if (!files->has_main)
		return true;
	if (!parse_file(out, &files->main, budget, arena, error))
		return false;
	for (size_t i = 0; i < files->items.count; i++) {
		/* A shell's *.conf does not match hidden files. */
		if (files->items.items[i].name[0] == '.')
			continue;
		if (!parse_file(out, &files->items.items[i], budget, arena, error))
			return false;
	}
	return true;
}
