// slipway check and slipway inspect: inputs in; verdicts, or the facts alone, out.

#include "cmd/command.h"

#include "cmd/examine.h"
#include "cmd/screen.h"
#include "report/report.h"

struct judged {
	struct examination examination;
	struct judgement judgement;
};

static const struct report_format *find_format(const char *name)
{
	const struct report_format *format = report_formats;
	while (format->name && !str_equal(format->name, name))
		format++;
	return format->name ? format : report_formats;
}

/* What both commands work with. */
struct call {
	struct policy policy;
	struct arena arena;
	struct report_options report;
	struct questions questions;
	const struct report_format *format;
};

/* False: the policy cannot be used, which has been said. */
NODISCARD static bool call_begin(const struct options *options, struct call *out)
{
	*out = (struct call){ 0 };
	if (!load_policy(options, &out->policy))
		return false;
	out->report = screen_options(options);
	out->questions = examination_questions(&out->policy, options, &out->arena);
	out->format = find_format(options->format);
	return true;
}

static void call_end(struct call *call)
{
	arena_free(&call->arena);
	policy_free(&call->policy);
}

/* Reads and judges one input; returns how the reading went. */
static enum status judge_input(struct call *call, const char *name, enum level fail_on,
                               struct report_input *out)
{
	struct judged *judged = arena_alloc(&call->arena, sizeof(*judged));
	examine(name, &call->questions, &call->arena, &judged->examination);
	const struct facts *facts = &judged->examination.facts;
	policy_judge(&call->policy, facts, &call->arena, &judged->judgement);
	*out = (struct report_input){
		.name = name,
		.facts = facts,
		.judgement = &judged->judgement,
		.seconds = judged->examination.seconds,
		.peak_kilobytes = judged->examination.peak_kilobytes,
		/* What was not seen whole is not vouched for. */
		.conforms =
			!judgement_fails_at(&judged->judgement, fail_on) && facts->examined == EXAMINED_FULL,
	};
	return judged->examination.status;
}

enum status command_check(const struct options *options)
{
	struct call call;
	if (!call_begin(options, &call))
		return options->policy ? STATUS_USAGE : STATUS_BUG;
	struct report_input *inputs =
		arena_alloc_array(&call.arena, options->operand_count, sizeof(struct report_input));
	enum status status = STATUS_CONFORMS;
	for (size_t i = 0; i < options->operand_count; i++) {
		status = graver_status(
			status, judge_input(&call, options->operands[i], options->fail_on, &inputs[i]));
		if (judgement_fails_at(inputs[i].judgement, options->fail_on))
			status = graver_status(status, STATUS_FAILURES);
	}
	call.format->check(stdout, &call.policy, inputs, options->operand_count, &call.report);
	call_end(&call);
	return status;
}

/* The judgement is for the guest OS features alone: the exit status is that of the reading. */
enum status command_inspect(const struct options *options)
{
	struct call call;
	if (!call_begin(options, &call))
		return options->policy ? STATUS_USAGE : STATUS_BUG;
	call.questions.everything = true;
	struct report_input input;
	enum status status = judge_input(&call, options->operands[0], options->fail_on, &input);
	call.format->inspect(stdout, &input, &call.report);
	call_end(&call);
	return status;
}
