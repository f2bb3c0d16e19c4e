// How an input ran on the reference machine, for a person: how far it came and when, what stopped it, and
// what was proved of each device.

#include <string.h>

#include "report/phrase.h"
#include "report/views.h"

#define LABEL_COLUMNS 9 /* "firmware" and a blank */
#define INDENT        2
#define PROOF_COLUMNS 19 /* "scsi-command-sets" and blanks */
#define UNKNOWN_MANY  3  /* proofs that are unknown for one reason: they are said in one line */

const struct finding *phrase_explains(const struct judgement *judgement, const struct symptom *symptom,
                                      const struct finding *after)
{
	/* Those that failed; where none did, those that are no longer known to be met. */
	enum verdict wanted = VERDICT_UNKNOWN;
	const struct finding *end = judgement->findings.items + judgement->findings.count;
	for (const struct finding *at = judgement->findings.items; at < end; at++)
		if (at->verdict == VERDICT_FAIL && policy_explains(at->rule, symptom->name))
			wanted = VERDICT_FAIL;
	for (const struct finding *at = after ? after + 1 : judgement->findings.items; at < end; at++)
		if (at->verdict == wanted && policy_explains(at->rule, symptom->name))
			return at;
	return NULL;
}

static void print_labelled(const struct layout *layout, const char *label, const char *text)
{
	layout_blanks(layout, INDENT);
	layout_padded(layout, STYLE_DIM, label, LABEL_COLUMNS);
	layout_wrapped(layout, INDENT + LABEL_COLUMNS, INDENT + LABEL_COLUMNS, text);
}

static enum style style_of_end(enum run_end end)
{
	return end == RUN_CAME_UP                     ? STYLE_PASS
	       : end == RUN_FAILED || end == RUN_HUNG ? STYLE_FAIL
	                                              : STYLE_UNKNOWN;
}

static const char *end_phrase(enum run_end end)
{
	static const char *const phrases[] = {
		[RUN_NOT_STARTED] = "not started", [RUN_CAME_UP] = "came up",
		[RUN_FAILED] = "did not come up",  [RUN_HUNG] = "hung",
		[RUN_MACHINE] = "machine failed",  [RUN_INTERRUPTED] = "interrupted",
	};
	return phrases[end];
}

/* "with BIOS   did not come up: the kernel panicked" */
static void print_title(const struct layout *layout, const struct run *run)
{
	struct text rest CLEANUP(text_free) = { 0 };
	struct text who CLEANUP(text_free) = { 0 };
	text_printf(&who, "booted with %s: ", run_firmware(run));
	layout_styled(layout, STYLE_BOLD, text_get(&who));
	layout_styled(layout, style_of_end(run->end), end_phrase(run->end));
	text_printf(&rest, "%s%s", run->ended && *run->ended ? "; " : "", run->ended ? run->ended : "");
	layout_wrapped(layout, layout_columns(text_get(&who)) + layout_columns(end_phrase(run->end)), 4,
	               text_get(&rest));
}

static bool is_direct(const struct run *run)
{
	return !run->firmware || str_equal(run->firmware, "none");
}

/* What showed a phase; one that was not seen was passed all the same if a later one was. */
static const char *shown_by(const struct run *run, enum run_phase phase, bool alone)
{
	const struct run_step *step = &run->steps[phase];
	if (!step->reached && phase == RUN_LOADER && is_direct(run))
		return "none: the kernel was loaded directly";
	if (!step->reached && phase == RUN_ROOT && alone)
		return "none: a kernel by itself";
	for (int later = (int)phase + 1; !step->reached && later < RUN_PHASES; later++)
		if (run->steps[later].reached)
			return "passed unseen";
	return !step->reached          ? "not seen"
	       : step->place.text      ? step->place.text
	       : phase == RUN_FIRMWARE ? "switched on"
	                               : "seen from outside";
}

/* A line of the guest's, cut at a blank where it is too long: the whole of it is in the log. */
static void print_cut(const struct layout *layout, unsigned column, const char *line)
{
	struct text text CLEANUP(text_free) = { 0 };
	text_add(&text, line);
	while (layout->width && column + layout_columns(text_get(&text)) > layout->width) {
		size_t end = text.size;
		while (end > 0 && text.data[end - 1] != ' ')
			end--;
		while (end > 0 && text.data[end - 1] == ' ')
			end--;
		if (end == 0)
			break;
		struct text shorter = { 0 };
		text_add_span(&shorter, span_of(text.data, end));
		text_free(&text);
		text = shorter;
	}
	fprintf(layout->out, "%s\n", text_get(&text));
}

static void print_phases(const struct layout *layout, const struct run *run, bool alone)
{
	layout_blanks(layout, INDENT);
	layout_styled(layout, STYLE_DIM, "phase    seconds  CPU s  shown by\n");
	for (int i = 0; i < RUN_PHASES; i++) {
		const struct run_step *step = &run->steps[i];
		char numbers[48] = "      -      -  ";
		if (step->reached && step->cpu_seconds >= 0)
			snprintf(numbers, sizeof(numbers), "%7.1f%7.1f  ", step->seconds, step->cpu_seconds);
		else if (step->reached)
			snprintf(numbers, sizeof(numbers), "%7.1f      -  ", step->seconds);
		layout_blanks(layout, INDENT);
		layout_padded(layout, STYLE_PLAIN, run_phase_names[i], LABEL_COLUMNS);
		fputs(numbers, layout->out);
		unsigned column = INDENT + LABEL_COLUMNS + (unsigned)strlen(numbers);
		print_cut(layout, column, shown_by(run, (enum run_phase)i, alone));
	}
	layout_blanks(layout, INDENT);
	layout_padded(layout, STYLE_PLAIN, "end", LABEL_COLUMNS);
	fprintf(layout->out, "%7.1f%7.1f\n", run->seconds, run->cpu_seconds);
}

static void print_symptom(const struct layout *layout, const struct report_input *input,
                          const struct symptom *symptom)
{
	struct text line CLEANUP(text_free) = { 0 };
	text_printf(&line, "%s: %s", symptom->name, symptom->message);
	if (symptom->place.path) {
		text_add(&line, " (");
		phrase_place(&line, &symptom->place, input->facts);
		text_add(&line, ")");
	}
	layout_blanks(layout, INDENT);
	layout_padded(layout, STYLE_FAIL, "symptom", LABEL_COLUMNS);
	layout_wrapped(layout, INDENT + LABEL_COLUMNS, INDENT + LABEL_COLUMNS, text_get(&line));
	text_clear(&line);
	const struct finding *finding = NULL;
	bool fails = false;
	while ((finding = phrase_explains(input->judgement, symptom, finding))) {
		fails = fails || finding->verdict == VERDICT_FAIL;
		text_printf(&line, "%s%s", line.size > 0 ? ", " : "", finding->rule->id);
	}
	struct text because CLEANUP(text_free) = { 0 };
	if (line.size > 0)
		text_printf(&because, "%s %s", fails ? "explained by" : "to look at:", text_get(&line));
	else
		text_add(&because, "no requirement explains it");
	print_labelled(layout, "", text_get(&because));
}

static void print_lines(const struct layout *layout, const struct run *run)
{
	if (run->last_lines.count == 0)
		return;
	layout_blanks(layout, INDENT);
	layout_styled(layout, STYLE_DIM, "last lines of the console\n");
	for (size_t i = 0; i < run->last_lines.count; i++) {
		layout_blanks(layout, INDENT);
		layout_styled(layout, STYLE_DIM, "| ");
		layout_unbroken(layout, INDENT + 2, run->last_lines.items[i]);
	}
}

/* Why nothing decides it. */
static const char *unknown_reason(const struct run *run, enum proof_id id)
{
	const char *reason = run->proofs[id].reason;
	if (reason && *reason)
		return reason;
	return run->end == RUN_CAME_UP ? "nothing was seen that decides it" : "it did not come that far";
}

/* A proof in a line; what it was seen by, and at large, when verbose. */
static void print_proof(const struct layout *layout, const struct run *run, enum proof_id id, bool verbose)
{
	static const struct {
		const char *word;
		enum style style;
	} words[] = {
		[ANSWER_UNKNOWN] = { "unknown", STYLE_UNKNOWN },
		[ANSWER_NO] = { "NO", STYLE_FAIL },
		[ANSWER_YES] = { "yes", STYLE_PASS },
	};
	const struct proof *proof = &run->proofs[id];
	unsigned column = INDENT + PROOF_COLUMNS + 9;
	struct text line CLEANUP(text_free) = { 0 };
	text_add(&line, proof->shown == ANSWER_UNKNOWN ? unknown_reason(run, id)
	                : proof->reason                ? proof->reason
	                                               : "");
	if (proof->found && *proof->found && (verbose || line.size == 0))
		text_printf(&line, "%s%s", line.size > 0 ? ": " : "", proof->found);
	layout_blanks(layout, INDENT);
	layout_padded(layout, STYLE_PLAIN, proof_names[id], PROOF_COLUMNS);
	layout_padded(layout, words[proof->shown].style, words[proof->shown].word, 9);
	layout_wrapped(layout, column, column, text_get(&line));
}

/* The next one behind `at` that is unknown for the reason that `first` is; PROOF_COUNT: there is none. */
static unsigned next_unknown(const struct run *run, unsigned at, enum proof_id first)
{
	while (++at < PROOF_COUNT)
		if (run->proofs[at].shown == ANSWER_UNKNOWN &&
		    str_equal(unknown_reason(run, (enum proof_id)at), unknown_reason(run, first)))
			return at;
	return PROOF_COUNT;
}

/* Is it one of many that are unknown for one reason? That is said once, behind the others. */
static bool is_of_many(const struct run *run, enum proof_id id)
{
	unsigned count = 0;
	if (run->proofs[id].shown != ANSWER_UNKNOWN)
		return false;
	for (unsigned i = 0; i < PROOF_COUNT; i++)
		count += run->proofs[i].shown == ANSWER_UNKNOWN &&
		         str_equal(unknown_reason(run, (enum proof_id)i), unknown_reason(run, id));
	return count >= UNKNOWN_MANY;
}

static bool is_first_of_many(const struct run *run, enum proof_id id)
{
	for (unsigned i = 0; i < id; i++)
		if (run->proofs[i].shown == ANSWER_UNKNOWN &&
		    str_equal(unknown_reason(run, (enum proof_id)i), unknown_reason(run, id)))
			return false;
	return is_of_many(run, id);
}

static void print_unknown_proofs(const struct layout *layout, const struct run *run, enum proof_id first)
{
	struct text line CLEANUP(text_free) = { 0 };
	text_printf(&line, "%s: ", unknown_reason(run, first));
	for (unsigned i = first; i < PROOF_COUNT; i = next_unknown(run, i, first))
		text_printf(&line, "%s%s", i == (unsigned)first ? "" : ", ", proof_names[i]);
	layout_blanks(layout, INDENT);
	layout_padded(layout, STYLE_UNKNOWN, "unknown", LABEL_COLUMNS);
	layout_wrapped(layout, INDENT + LABEL_COLUMNS, INDENT + LABEL_COLUMNS, text_get(&line));
}

static void print_proofs(const struct layout *layout, const struct run *run, bool verbose)
{
	layout_blanks(layout, INDENT);
	layout_styled(layout, STYLE_DIM, "proofs\n");
	for (unsigned i = 0; i < PROOF_COUNT; i++)
		if (verbose || !is_of_many(run, (enum proof_id)i))
			print_proof(layout, run, (enum proof_id)i, verbose);
	for (unsigned i = 0; i < PROOF_COUNT && !verbose; i++)
		if (is_first_of_many(run, (enum proof_id)i))
			print_unknown_proofs(layout, run, (enum proof_id)i);
}

/* Where the kernel never ran there was nothing to prove. */
static bool has_proofs(const struct run *run)
{
	for (size_t i = 0; i < PROOF_COUNT; i++)
		if (run->proofs[i].shown != ANSWER_UNKNOWN)
			return true;
	return false;
}

static void print_inside(const struct layout *layout, const struct run *run)
{
	if (run->inside_reason)
		print_labelled(layout, "inside", run->inside_reason);
	if (!run->inside)
		return;
	/* It takes the machine for one of the platform, as it should: no word of that here. */
	const char *system = run->inside->os.name;
	struct text what CLEANUP(text_free) = { 0 };
	text_printf(&what, "the guest's /proc and /sys were read%s%s", system ? ": " : "",
	            system ? system : "");
	print_labelled(layout, "inside", text_get(&what));
}

/* Is there a device that a kernel without its modules does not drive? */
static bool lacks_a_driver(const struct run *run)
{
	for (unsigned i = PROOF_NET_DRIVEN; i <= PROOF_SCSI_HOTUNPLUG; i++)
		if (run->proofs[i].shown == ANSWER_NO)
			return true;
	return false;
}

/* What a run leaves out that a machine of the platform begins with. */
static const char *not_tried(const struct report_input *input, const struct run *run)
{
	if (!is_direct(run) || input->facts->kind != INPUT_DISK)
		return NULL;
	return "firmware, boot loader and menu: what was read of them stands";
}

/* Where console.log and the others are, which places name; who has not kept them is told how. */
static void print_logs(const struct layout *layout, const struct run *run, bool verbose)
{
	if (run->logs)
		print_labelled(layout, "logs", run->logs);
	else if (verbose || run->symptoms.count > 0 || run->end == RUN_FAILED || run->end == RUN_HUNG)
		print_labelled(layout, "logs",
		               "not kept: 'slipway boot --keep-logs=DIR' keeps console.log, qmp.log and "
		               "frames.pcap");
}

static void print_run(const struct layout *layout, const struct report_input *input, const struct run *run,
                      bool verbose)
{
	print_title(layout, run);
	print_phases(layout, run, is_direct(run) && input->facts->kind == INPUT_KERNEL);
	for (size_t i = 0; i < run->symptoms.count; i++)
		print_symptom(layout, input, &run->symptoms.items[i]);
	print_lines(layout, run);
	if (has_proofs(run))
		print_proofs(layout, run, verbose);
	if (input->facts->kind == INPUT_KERNEL && lacks_a_driver(run))
		print_labelled(layout, "note",
		               "a kernel by itself runs without its modules, but for those that --initrd "
		               "brings: a NO of the network or the disks fails no requirement");
	if (not_tried(input, run))
		print_labelled(layout, "untried", not_tried(input, run));
	print_inside(layout, run);
	struct text machine CLEANUP(text_free) = { 0 };
	text_printf(&machine, "%s%s", run->machine ? run->machine : "",
	            run->is_reference ? "" : "; it is not the page's machine");
	print_labelled(layout, "machine", text_get(&machine));
	if (run->appended)
		print_labelled(layout, "appended", run->appended);
	for (size_t i = 0; i < run->limits.count; i++)
		print_labelled(layout, i == 0 ? "limits" : "", run->limits.items[i]);
	print_logs(layout, run, verbose);
	fputc('\n', layout->out);
}

/* "booted with BIOS: came up (kernel 4.0 s, root 9.1 s, init 12.0 s, login 34.1 s)" */
static void print_short(const struct layout *layout, const struct report_input *input, const struct run *run,
                        bool verbose)
{
	struct text phases CLEANUP(text_free) = { 0 };
	for (size_t i = RUN_LOADER; i < RUN_PHASES; i++)
		if (run->steps[i].reached)
			text_printf(&phases, "%s%s %.1f s", phases.size ? ", " : "(", run_phase_names[i],
			            run->steps[i].seconds);
	if (phases.size > 0)
		text_add_char(&phases, ')');
	if (run->end != RUN_CAME_UP && run->ended)
		text_printf(&phases, "%s%s", phases.size ? "; " : "", run->ended);
	struct text who CLEANUP(text_free) = { 0 };
	text_printf(&who, "booted with %s: ", run_firmware(run));
	layout_blanks(layout, INDENT);
	layout_styled(layout, STYLE_PLAIN, text_get(&who));
	layout_styled(layout, style_of_end(run->end), end_phrase(run->end));
	layout_blanks(layout, phases.size > 0 ? 1 : 0);
	unsigned column = INDENT + layout_columns(text_get(&who)) + layout_columns(end_phrase(run->end)) + 1;
	layout_wrapped(layout, column, 4, text_get(&phases));
	for (size_t i = 0; i < run->symptoms.count; i++)
		print_symptom(layout, input, &run->symptoms.items[i]);
	print_lines(layout, run);
	print_logs(layout, run, verbose);
}

void text_runs(const struct layout *layout, const struct report_input *input,
               const struct report_options *options)
{
	for (size_t i = 0; i < input->run_count; i++) {
		if (options->boot)
			print_run(layout, input, &input->runs[i], options->verbose);
		else
			print_short(layout, input, &input->runs[i], options->verbose);
	}
	if (input->run_count > 0 && !options->boot)
		fputc('\n', layout->out);
}
