#include "policy/want.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

bool number_read(const char *text, int64_t *out)
{
	if (!text || !strchr("-0123456789", *text) || !*text)
		return false;
	char *end = NULL;
	errno = 0;
	long long value = strtoll(text, &end, 0);
	if (errno != 0 || end == text || *end != 0)
		return false;
	*out = value;
	return true;
}

bool want_parse(const char *text, struct arena *arena, struct want *out)
{
	struct want want = { .compare = COMPARE_EQUAL };
	if (str_starts(text, ">=")) {
		want.compare = COMPARE_AT_LEAST;
		text += 2;
	}
	want.value = arena_strdup(arena, text);
	want.numeric = number_read(text, &want.number);
	if (!*text || (want.compare == COMPARE_AT_LEAST && !want.numeric))
		return false;
	*out = want;
	return true;
}

bool want_met(const struct want *want, const char *value)
{
	int64_t number;
	if (want->numeric && number_read(value, &number))
		return want->compare == COMPARE_AT_LEAST ? number >= want->number : number == want->number;
	return want->compare == COMPARE_EQUAL && str_equal(want->value, value);
}

const char *want_text(const struct want *want, struct arena *arena)
{
	if (want->compare == COMPARE_AT_LEAST)
		return arena_printf(arena, "%s or more", want->value);
	return want->value;
}
