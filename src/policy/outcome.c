#include "policy/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

PRINTF(3, 0)
static const char *format_text(struct arena *arena, const char *before, const char *format, va_list arguments)
{
	va_list again;
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	size_t used = strlen(before), more = length > 0 ? (size_t)length : 0;
	char *text = arena_alloc(arena, used + more + 1);
	memcpy(text, before, used);
	vsnprintf(text + used, more + 1, format, arguments);
	return text;
}

void outcome_set(const struct context *context, struct outcome *outcome, enum verdict verdict,
                 const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	outcome->finding.verdict = verdict;
	outcome->finding.reason = format_text(context->arena, "", format, arguments);
	va_end(arguments);
}

void outcome_no_kernel(const struct context *context, struct outcome *outcome)
{
	/* Why it was not found is said of the input as a whole. */
	const char *reason = context->facts->reason;
	outcome_set(context, outcome, VERDICT_UNKNOWN, "%s",
	            reason ? reason : "no kernel was found to judge");
}

void outcome_remark(const struct context *context, struct outcome *outcome, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	outcome->finding.reason = format_text(context->arena, outcome->finding.reason, format, arguments);
	va_end(arguments);
}

void outcome_evidence(const struct context *context, struct outcome *outcome, const struct place *place)
{
	if (!place->path && !place->text && place->offset == 0)
		return;
	for (size_t i = 0; i < outcome->finding.evidence.count; i++) {
		const struct place *other = &outcome->finding.evidence.items[i];
		if (other->partition == place->partition && str_equal(other->path, place->path) &&
		    other->line == place->line && other->offset == place->offset)
			return;
	}
	*LIST_ADD(context->arena, &outcome->finding.evidence) = *place;
}

bool has_root_files(const struct facts *facts)
{
	return facts->kind == INPUT_DISK || facts->kind == INPUT_TREE || facts->kind == INPUT_LIVE;
}

enum verdict verdict_worse(enum verdict a, enum verdict b)
{
	static const int gravity[] = {
		[VERDICT_FAIL] = 4,           [VERDICT_UNKNOWN] = 3, [VERDICT_PASS] = 2,
		[VERDICT_NOT_APPLICABLE] = 1, [VERDICT_WAIVED] = 0,
	};
	return gravity[a] >= gravity[b] ? a : b;
}
