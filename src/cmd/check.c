// slipway check: inputs in, verdicts out.

#include "cmd/command.h"

#include "cmd/examine.h"
#include "cmd/screen.h"
#include "report/report.h"

struct checked {
	struct examination examination;
	struct judgement judgement;
};

static enum status check_one(const char *name, const struct policy *policy, const struct questions *questions,
                             enum level fail_on, struct arena *arena, struct report_input *report)
{
	struct checked *checked = arena_alloc(arena, sizeof(*checked));
	examine(name, questions, arena, &checked->examination);
	const struct facts *facts = &checked->examination.facts;
	policy_judge(policy, facts, arena, &checked->judgement);
	bool fails = judgement_fails_at(&checked->judgement, fail_on);
	*report = (struct report_input){
		.name = name,
		.facts = facts,
		.judgement = &checked->judgement,
		.seconds = checked->examination.seconds,
		.peak_kilobytes = checked->examination.peak_kilobytes,
		/* What was not seen whole is not vouched for. */
		.conforms = !fails && facts->examined == EXAMINED_FULL,
	};
	return graver_status(checked->examination.status, fails ? STATUS_FAILURES : STATUS_CONFORMS);
}

static const struct report_format *find_format(const char *name)
{
	const struct report_format *format = report_formats;
	while (format->name && !str_equal(format->name, name))
		format++;
	return format->name ? format : report_formats;
}

enum status command_check(const struct options *options)
{
	struct policy policy;
	if (!load_policy(options, &policy))
		return options->policy ? STATUS_USAGE : STATUS_BUG;
	struct arena arena = { 0 };
	struct report_options report = screen_options(options);
	struct questions questions = examination_questions(&policy, options, &arena);
	struct report_input *inputs =
		arena_alloc_array(&arena, options->operand_count, sizeof(struct report_input));
	enum status status = STATUS_CONFORMS;
	for (size_t i = 0; i < options->operand_count; i++)
		status = graver_status(status, check_one(options->operands[i], &policy, &questions,
		                                         options->fail_on, &arena, &inputs[i]));
	find_format(options->format)->check(stdout, &policy, inputs, options->operand_count, &report);
	arena_free(&arena);
	policy_free(&policy);
	return status;
}

enum status command_inspect(const struct options *options)
{
	struct policy policy;
	if (!load_policy(options, &policy))
		return options->policy ? STATUS_USAGE : STATUS_BUG;
	struct arena arena = { 0 };
	struct report_options report = screen_options(options);
	struct questions questions = examination_questions(&policy, options, &arena);
	questions.everything = true;
	struct examination examination;
	struct judgement judgement = { 0 };
	examine(options->operands[0], &questions, &arena, &examination);
	policy_judge(&policy, &examination.facts, &arena, &judgement);
	struct report_input input = {
		.name = options->operands[0],
		.facts = &examination.facts,
		.judgement = &judgement,
		.seconds = examination.seconds,
		.peak_kilobytes = examination.peak_kilobytes,
	};
	find_format(options->format)->inspect(stdout, &input, &report);
	arena_free(&arena);
	policy_free(&policy);
	return examination.status;
}
