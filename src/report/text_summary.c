// The end of a checked input: the sections in numbers, and one line that tells "boots" from "conforms".

#include <inttypes.h>
#include <string.h>

#include "report/phrase.h"
#include "report/views.h"

#define CELLS_MAX  24 /* sections; a policy with more shows the first ones */
#define ACROSS_MAX 3  /* sections a line */
#define GAP        4  /* columns between them */
#define NAMES_MAX  4  /* rules in the closing line */

static const struct {
	enum verdict verdict;
	const char *word;
	enum style style;
} columns[] = {
	{ VERDICT_PASS, "pass", STYLE_PASS },          { VERDICT_FAIL, "FAIL", STYLE_FAIL },
	{ VERDICT_UNKNOWN, "unknown", STYLE_UNKNOWN }, { VERDICT_NOT_APPLICABLE, "n/a", STYLE_PLAIN },
	{ VERDICT_WAIVED, "waived", STYLE_PLAIN },
};

struct cell {
	const char *section;
	uint64_t total;
	uint64_t counts[ARRAY_SIZE(columns)];
};

static size_t count_sections(const struct judgement *judgement, struct cell *cells)
{
	size_t used = 0;
	for (size_t i = 0; i < judgement->findings.count; i++) {
		const struct finding *finding = &judgement->findings.items[i];
		size_t at = 0;
		while (at < used && !str_equal(cells[at].section, finding->rule->section))
			at++;
		if (at == CELLS_MAX)
			continue;
		if (at == used)
			cells[used++] = (struct cell){ .section = finding->rule->section };
		cells[at].total++;
		for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
			cells[at].counts[c] += columns[c].verdict == finding->verdict;
	}
	return used;
}

/* Prints the cell (out not NULL) and returns its width behind the section's name. */
static unsigned print_counts(const struct layout *layout, const struct cell *cell, bool print)
{
	char word[48];
	unsigned used = (unsigned)snprintf(word, sizeof(word), "  %3" PRIu64 "  ", cell->total);
	if (print)
		fputs(word, layout->out);
	bool first = true;
	for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
		if (cell->counts[c] == 0)
			continue;
		snprintf(word, sizeof(word), "%s %" PRIu64, columns[c].word, cell->counts[c]);
		if (print && !first)
			fputs(", ", layout->out);
		if (print)
			layout_styled(layout, columns[c].style, word);
		used += (unsigned)strlen(word) + (first ? 0 : 2);
		first = false;
	}
	return used;
}

/* Widths of the columns of a table with `across` cells a line; returns that of a whole line. */
static unsigned measure(const struct layout *layout, const struct cell *cells, size_t count, size_t across,
                        unsigned names[], unsigned rests[])
{
	unsigned line = 0;
	for (size_t column = 0; column < across; column++) {
		names[column] = rests[column] = 0;
		for (size_t i = column; i < count; i += across) {
			unsigned name = layout_columns(cells[i].section);
			unsigned rest = print_counts(layout, &cells[i], false);
			names[column] = name > names[column] ? name : names[column];
			rests[column] = rest > rests[column] ? rest : rests[column];
		}
		line += (column ? GAP : 2) + names[column] + rests[column];
	}
	return line;
}

void text_summary(const struct layout *layout, const struct judgement *judgement)
{
	struct cell cells[CELLS_MAX];
	size_t count = count_sections(judgement, cells);
	unsigned names[ACROSS_MAX], rests[ACROSS_MAX], width = layout->width ? layout->width : 100;
	size_t across = ACROSS_MAX;
	while (measure(layout, cells, count, across, names, rests) > width && across > 1)
		across--;
	for (size_t i = 0; i < count; i++) {
		size_t column = i % across;
		layout_blanks(layout, column ? GAP : 2);
		layout_padded(layout, STYLE_PLAIN, cells[i].section, names[column]);
		unsigned used = print_counts(layout, &cells[i], true);
		if (column + 1 == across || i + 1 == count)
			fputc('\n', layout->out);
		else
			layout_blanks(layout, rests[column] - used);
	}
}

static uint64_t count_failures(const struct judgement *judgement, enum level level)
{
	uint64_t count = 0;
	for (size_t i = 0; i < judgement->findings.count; i++)
		count += judgement->findings.items[i].verdict == VERDICT_FAIL &&
		         judgement->findings.items[i].rule->level == level;
	return count;
}

/* "1 required failure, 2 recommended failures" for the levels from `first` to `last`; false when there are
 * none.
 */
static bool add_failures(struct text *text, const struct judgement *judgement, enum level first,
                         enum level last, const char *before)
{
	bool any = false;
	for (enum level level = first; level <= last; level++) {
		uint64_t count = count_failures(judgement, level);
		if (count == 0)
			continue;
		text_add(text, any ? ", " : before);
		any = true;
		if (level == LEVEL_ADVICE)
			text_printf(text, "%" PRIu64 " %s not followed", count,
			            count == 1 ? "piece of advice" : "pieces of advice");
		else
			phrase_count(text, count,
			             level == LEVEL_REQUIRED ? "required failure" : "recommended failure");
	}
	return any;
}

/* The rules that decide whether it boots. */
static void add_deciders(struct text *text, const struct judgement *judgement, const char *before)
{
	size_t count = judgement->boots_because.count;
	size_t shown = count > NAMES_MAX ? NAMES_MAX - 1 : count;
	if (count == 0)
		return;
	text_printf(text, " (%s", before);
	for (size_t i = 0; i < shown; i++)
		text_printf(text, "%s%s", i ? ", " : "", judgement->boots_because.items[i]->id);
	if (shown < count)
		text_printf(text, " and %zu more", count - shown);
	text_add(text, ")");
}

/* What is known of the boot: that it was tried, or what was read. */
static const char *boots_phrase(const struct report_input *input)
{
	const struct judgement *judgement = input->judgement;
	if (judgement->came_up == ANSWER_NO)
		return "Did not come up on the reference machine";
	if (judgement->boots == ANSWER_NO)
		return "Would not boot on Compute Engine";
	if (judgement->came_up == ANSWER_YES)
		return "Came up on the reference machine";
	/* It was tried, and that decided nothing. */
	if (input->run_count > 0)
		return "By what was read it boots on Compute Engine";
	return input->facts->kind == INPUT_LIVE ? "Runs on Compute Engine" : "Boots on Compute Engine";
}

static enum style add_verdict(struct text *text, const struct report_input *input,
                              const struct report_options *options)
{
	const struct judgement *judgement = input->judgement;
	bool full = input->facts->examined == EXAMINED_FULL;
	bool fails = judgement_fails_at(judgement, options->fail_on);
	if (judgement->boots == ANSWER_NO) {
		text_add(text, boots_phrase(input));
		add_failures(text, judgement, LEVEL_REQUIRED, options->fail_on, ": ");
		add_deciders(text, judgement, "stopped by ");
		return STYLE_FAIL;
	}
	if (judgement->boots == ANSWER_YES) {
		text_add(text, boots_phrase(input));
		if (fails)
			add_failures(text, judgement, LEVEL_REQUIRED, options->fail_on,
			             ", but does not conform: ");
		else
			text_add(text, full ? ", and conforms" : ", as far as it was examined");
		return fails ? STYLE_FAIL : full ? STYLE_PASS : STYLE_UNKNOWN;
	}
	/* A bare kernel or configuration boots nothing by itself: then no rule is named. */
	bool asked = judgement->boots_because.count > 0;
	text_add(text, asked   ? "Not known whether it boots on Compute Engine"
	               : fails ? "Does not conform"
	               : full  ? "Conforms"
	                       : "No failure, as far as it was examined");
	add_deciders(text, judgement, "undecided: ");
	add_failures(text, judgement, LEVEL_REQUIRED, options->fail_on,
	             asked ? "; does not conform: " : ": ");
	return fails ? STYLE_FAIL : asked || !full ? STYLE_UNKNOWN : STYLE_PASS;
}

/* What it took: "(0.014 s)", and more when verbose. */
static void add_cost(struct text *text, const struct report_input *input, bool verbose)
{
	struct text cost CLEANUP(text_free) = { 0 };
	if (input->seconds >= 0)
		text_printf(&cost, "%.3f s", input->seconds);
	if (verbose && input->facts->bytes_read > 0) {
		text_add(&cost, cost.size ? ", " : "");
		phrase_size(&cost, input->facts->bytes_read);
		text_add(&cost, " read");
	}
	if (verbose && input->peak_kilobytes > 0) {
		text_add(&cost, cost.size ? ", " : "");
		phrase_size(&cost, input->peak_kilobytes * 1024);
		text_add(&cost, " of memory at most");
	}
	if (cost.size > 0)
		text_printf(text, " (%s)", text_get(&cost));
}

/* Runs that did not decide whether it boots: what was read stands then. */
static void add_runs(struct text *text, const struct report_input *input)
{
	for (size_t i = 0; i < input->run_count; i++) {
		const struct run *run = &input->runs[i];
		const char *ended = run->ended ? run->ended : run_end_names[run->end];
		bool disk = input->facts->kind == INPUT_DISK;
		bool direct = !run->firmware || str_equal(run->firmware, "none");
		if (run->end == RUN_NOT_STARTED || run->end == RUN_MACHINE)
			text_printf(text, " The boot with %s decided nothing: %s", run_firmware(run), ended);
		else if (run->end == RUN_CAME_UP && input->facts->kind == INPUT_KERNEL &&
		         input->facts->examined != EXAMINED_FULL)
			text_add(text, " What the machine showed of the kernel stands; what only its "
			               "configuration tells is unknown: check the .config that it was built "
			               "with as well");
		else if (input->judgement->came_up != ANSWER_UNKNOWN || !disk)
			continue;
		else if (run->end != RUN_CAME_UP)
			text_printf(text, " The boot with %s does not show whether it comes up: %s",
			            run_firmware(run), ended);
		else if (!run->is_reference)
			text_printf(text, " It came up with %s, on a machine that is not the page's",
			            run_firmware(run));
		else if (direct)
			text_add(text, " It came up with its kernel loaded directly, which shows nothing of "
			               "firmware and boot loader");
		else
			text_printf(text,
			            " The boot with %s does not show whether it comes up: neither a "
			            "login prompt nor a service on its network was seen",
			            run_firmware(run));
		phrase_end(text);
	}
}

/* Who ends it does not wait for a verdict, and gets none: what was read alone is what `check` is for. */
static bool was_interrupted(const struct report_input *input)
{
	for (size_t i = 0; i < input->run_count; i++)
		if (input->runs[i].end == RUN_INTERRUPTED)
			return true;
	return false;
}

void text_closing(const struct layout *layout, const struct report_input *input,
                  const struct report_options *options)
{
	const struct facts *facts = input->facts;
	struct text line CLEANUP(text_free) = { 0 };
	enum style style = STYLE_UNKNOWN;
	if (facts->examined == EXAMINED_NONE) {
		text_printf(&line, "Not examined: %s",
		            facts->reason ? facts->reason : "nothing is known of it");
		phrase_end(&line);
	} else if (was_interrupted(input)) {
		text_add(&line, "Interrupted: it is not known whether it boots, nor whether it conforms.");
	} else {
		style = add_verdict(&line, input, options);
		text_add(&line, ".");
		if (options->fail_on < LEVEL_ADVICE &&
		    add_failures(&line, input->judgement, options->fail_on + 1, LEVEL_ADVICE, " Also "))
			text_add(&line, ".");
		add_runs(&line, input);
		uint64_t unknown = input->judgement->counts[VERDICT_UNKNOWN];
		if (unknown > 0) {
			text_add(&line, " ");
			phrase_count(&line, unknown, "rule");
			text_add(&line, " could not be decided.");
		}
		if (facts->examined == EXAMINED_PARTIAL) {
			/* The reason stands at the top, where there is one. */
			bool said = !options->quiet || !facts->reason;
			text_printf(&line, " Not fully examined%s%s", said ? "" : ": ",
			            said ? "" : facts->reason);
			phrase_end(&line);
		}
	}
	add_cost(&line, input, options->verbose);
	layout_styled(layout, style, text_get(&line));
	fputc('\n', layout->out);
}
