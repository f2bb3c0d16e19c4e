// slipway check, inspect and boot: inputs in; verdicts, or the facts alone, out.

#include <sys/stat.h>
#include <unistd.h>

#include "cmd/boot.h"
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

/* Boots what was judged, and puts both together; returns how the boot went. */
static enum status boot_judged(struct call *call, const struct options *options, struct judged *judged,
                               struct report_input *input)
{
	struct judgement *judgement = &judged->judgement;
	struct booted booted;
	boot_input(options, input->name, &call->questions, &judged->examination, &call->arena, &booted);
	if (booted.count == 0)
		return booted.status;
	policy_join(&call->policy, input->facts, booted.runs, booted.count, &call->arena, judgement);
	input->runs = booted.runs;
	input->run_count = booted.count;
	for (size_t i = 0; i < booted.count; i++)
		input->seconds += booted.runs[i].seconds;
	/* Who ended the boot has not seen what it would have shown. */
	input->conforms = !judgement_fails_at(judgement, options->fail_on) &&
	                  input->facts->examined == EXAMINED_FULL && booted.status != STATUS_INTERRUPTED;
	return booted.status;
}

/* Reads and judges one input; returns how the reading went. */
static enum status judge_input(struct call *call, const char *name, const struct options *options,
                               struct report_input *out)
{
	enum level fail_on = options->fail_on;
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
	enum status status = judged->examination.status;
	bool boots = options->boot || options->command->id == COMMAND_BOOT;
	if (boots && facts->examined != EXAMINED_NONE)
		status = graver_status(status, boot_judged(call, options, judged, out));
	return status;
}

struct operands {
	char *const *names;
	size_t count;
};

/* The word is a machine whatever files there are, so that a script does not depend on where it runs. */
static void tell_of_file(const struct options *options)
{
	for (size_t i = 0; i < options->operand_count; i++)
		if (str_equal(options->operands[i], EXAMINE_LIVE) && access(EXAMINE_LIVE, F_OK) == 0)
			complain("'" EXAMINE_LIVE "' is the running machine; write ./" EXAMINE_LIVE
			         " for the file of that name");
}

/* The inputs that are named; without any, the running machine. */
static struct operands operands_of(const struct options *options)
{
	static char live[] = EXAMINE_LIVE;
	tell_of_file(options);
	static char *const nothing_named[] = { live };
	if (options->operand_count == 0)
		return (struct operands){ nothing_named, 1 };
	return (struct operands){ options->operands, options->operand_count };
}

enum status command_check(const struct options *options)
{
	struct call call;
	if (!call_begin(options, &call))
		return options->policy ? STATUS_USAGE : STATUS_BUG;
	const struct operands operands = operands_of(options);
	struct report_input *inputs =
		arena_alloc_array(&call.arena, operands.count, sizeof(struct report_input));
	enum status status = STATUS_CONFORMS;
	for (size_t i = 0; i < operands.count; i++) {
		status = graver_status(status, judge_input(&call, operands.names[i], options, &inputs[i]));
		if (judgement_fails_at(inputs[i].judgement, options->fail_on))
			status = graver_status(status, STATUS_FAILURES);
	}
	call.format->check(stdout, &call.policy, inputs, operands.count, &call.report);
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
	enum status status = judge_input(&call, operands_of(options).names[0], options, &input);
	call.format->inspect(stdout, &input, &call.report);
	call_end(&call);
	return status;
}

/* Before it is read to its end for nothing. */
static bool is_pipe(const char *name)
{
	struct stat status;
	int got = str_equal(name, "-") ? fstat(STDIN_FILENO, &status) : stat(name, &status);
	return got == 0 && S_ISFIFO(status.st_mode);
}

/* Where nothing was booted there is no report: what stopped it has been said. */
enum status command_boot(const struct options *options)
{
	struct call call;
	const char *name = options->kernel_file ? options->kernel_file : options->operands[0];
	if (is_pipe(name)) {
		complain("'%s' was not booted: a pipe can be read once, and a machine reads its disk at any "
		         "place: save it to a file and give that",
		         name);
		return STATUS_NOT_EXAMINED;
	}
	if (!call_begin(options, &call))
		return options->policy ? STATUS_USAGE : STATUS_BUG;
	call.report.boot = true;
	struct report_input input;
	enum status status = judge_input(&call, name, options, &input);
	if (input.facts->examined == EXAMINED_NONE)
		complain("'%s' was not booted: %s%s", name,
		         options->kernel_file && input.facts->kind == INPUT_UNKNOWN ? "it is no kernel, and " : "",
		         input.facts->reason ? input.facts->reason : "nothing is known of it");
	if (input.run_count > 0) {
		if (judgement_fails_at(input.judgement, options->fail_on))
			status = graver_status(status, STATUS_FAILURES);
		call.format->check(stdout, &call.policy, &input, 1, &call.report);
	}
	call_end(&call);
	return status;
}
