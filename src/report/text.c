// `check` for a person.
//
// Findings stand by level, the gravest first, and by the policy's order within: who reads from the top, in a
// pager or a log, meets what stops the boot before the advice. Who sees only the end of twenty findings reads
// in the closing line how many are required and which rules stop the boot.

#include <string.h>

#include "report/phrase.h"
#include "report/views.h"

#define ID_COLUMNS    27 /* most ids fit; behind a longer one the text starts where it ends */
#define LABEL_COLUMNS 7  /* "where" and the blanks behind it */
#define PLACES_MAX    4  /* files of a finding, unless verbose */

struct view {
	struct layout layout;
	const struct report_input *input;
	const struct report_options *options;
	unsigned tag_columns; /* the widest of "FAIL", "unknown", ... that is shown */
};

static const struct {
	const char *tag;
	enum style style;
} tags[] = {
	[VERDICT_UNKNOWN] = { "unknown", STYLE_UNKNOWN }, [VERDICT_PASS] = { "pass", STYLE_PASS },
	[VERDICT_FAIL] = { "FAIL", STYLE_FAIL },          [VERDICT_NOT_APPLICABLE] = { "n/a", STYLE_DIM },
	[VERDICT_WAIVED] = { "waived", STYLE_DIM },
};

static bool is_shown(const struct view *view, enum verdict verdict)
{
	/* Of an input that could not be read at all, every rule is unknown for one reason: it is said once.
	 */
	if (view->input->facts->examined == EXAMINED_NONE)
		return false;
	return verdict == VERDICT_FAIL || verdict == VERDICT_UNKNOWN || view->options->verbose;
}

static unsigned body_column(const struct view *view)
{
	return 2 + view->tag_columns + 2;
}

static void print_label(const struct view *view, const char *label)
{
	layout_blanks(&view->layout, body_column(view));
	layout_padded(&view->layout, STYLE_DIM, label, LABEL_COLUMNS);
}

static void print_labelled(const struct view *view, const char *label, const char *text)
{
	print_label(view, label);
	layout_wrapped(&view->layout, body_column(view) + LABEL_COLUMNS, body_column(view) + LABEL_COLUMNS,
	               text);
}

/* The first line: tag, id and reason where they fit side by side, else the reason below. */
static void print_head(const struct view *view, enum verdict verdict, const char *id, const char *reason)
{
	const struct layout *layout = &view->layout;
	unsigned column = body_column(view), id_columns = layout_columns(id);
	layout_blanks(layout, 2);
	layout_padded(layout, tags[verdict].style, tags[verdict].tag, view->tag_columns + 2);
	if (!*reason) {
		layout_styled(layout, STYLE_BOLD, id);
		fputc('\n', layout->out);
		return;
	}
	unsigned text_column = column + (id_columns > ID_COLUMNS ? id_columns : ID_COLUMNS) + 2;
	if (layout->width == 0 || text_column + layout_columns(reason) <= layout->width) {
		layout_padded(layout, STYLE_BOLD, id, text_column - column);
		fprintf(layout->out, "%s\n", reason);
		return;
	}
	layout_styled(layout, STYLE_BOLD, id);
	fputc('\n', layout->out);
	layout_blanks(layout, column);
	layout_wrapped(layout, column, column, reason);
}

static void print_places(const struct view *view, const struct finding *finding)
{
	struct text where CLEANUP(text_free) = { 0 };
	phrase_places(&where, finding->evidence.items, finding->evidence.count, PLACES_MAX,
	              view->input->facts);
	if (where.size > 0)
		print_labelled(view, "where", text_get(&where));
}

/* One place a line, with what stands there. */
static void print_evidence(const struct view *view, const struct finding *finding)
{
	for (size_t i = 0; i < finding->evidence.count; i++) {
		const struct place *place = &finding->evidence.items[i];
		struct text line CLEANUP(text_free) = { 0 };
		phrase_place(&line, place, view->input->facts);
		if (place->text && (place->path || place->offset || place->partition))
			text_printf(&line, ": %s", place->text);
		if (line.size == 0)
			continue;
		/* What follows a break stands further in, so that each place is seen to begin. */
		unsigned column = body_column(view) + LABEL_COLUMNS;
		print_label(view, i == 0 ? "where" : "");
		layout_wrapped(&view->layout, column, column + 2, text_get(&line));
	}
}

static void print_found(const struct view *view, const struct finding *finding)
{
	if (!finding->found || !*finding->found)
		return;
	struct text found CLEANUP(text_free) = { 0 };
	text_add(&found, finding->found);
	if (finding->wanted && *finding->wanted)
		text_printf(&found, " (wanted: %s)", finding->wanted);
	if (finding->by_equivalent)
		text_add(&found, ", met by an equivalent");
	print_labelled(view, "found", text_get(&found));
}

/* The failure before this one that the same command mends; NULL: there is none. */
static const struct finding *mended_with(const struct view *view, const struct finding *finding)
{
	const struct judgement *judgement = view->input->judgement;
	for (size_t i = 0; i < judgement->findings.count; i++) {
		const struct finding *other = &judgement->findings.items[i];
		if (other == finding)
			return NULL;
		if (other->verdict == VERDICT_FAIL && other->rule->level == finding->rule->level &&
		    str_equal(other->fix, finding->fix))
			return other;
	}
	return NULL;
}

static void print_fix(const struct view *view, const char *label, const struct finding *finding)
{
	if (!finding->fix)
		return;
	const struct finding *first = mended_with(view, finding);
	char same[96] = "";
	if (first)
		snprintf(same, sizeof(same), "as for %s", first->rule->id);
	/* A short command is sooner typed than looked for. */
	bool is_shorter = first && strlen(same) < strlen(finding->fix);
	print_label(view, label);
	layout_unbroken(&view->layout, body_column(view) + LABEL_COLUMNS, is_shorter ? same : finding->fix);
}

static const char *why_of(const struct finding *finding)
{
	return finding->why ? finding->why : finding->rule->why;
}

/* What stands between the reason and the fix. */
static void print_body(const struct view *view, const struct finding *finding)
{
	if (view->options->verbose) {
		print_found(view, finding);
		print_evidence(view, finding);
	} else {
		print_places(view, finding);
	}
	if (finding->verdict == VERDICT_FAIL && why_of(finding))
		print_labelled(view, "why", why_of(finding));
}

static void print_finding(const struct view *view, const struct finding *finding)
{
	print_head(view, finding->verdict, finding->rule->id, finding->reason ? finding->reason : "");
	print_body(view, finding);
	if (finding->verdict == VERDICT_FAIL)
		print_fix(view, "fix", finding);
}

static bool same_places(const struct finding *a, const struct finding *b)
{
	if (a->evidence.count != b->evidence.count)
		return false;
	for (size_t i = 0; i < a->evidence.count; i++) {
		const struct place *one = &a->evidence.items[i], *other = &b->evidence.items[i];
		if (one->partition != other->partition || one->line != other->line ||
		    one->offset != other->offset || !str_equal(one->path, other->path))
			return false;
	}
	return true;
}

/* One missing file leaves many rules open, and one default breaks two: what they share is said once. */
static bool shares_cause(const struct finding *a, const struct finding *b)
{
	if (a->verdict != b->verdict || a->rule->level != b->rule->level || !a->reason || !*a->reason ||
	    !str_equal(a->reason, b->reason))
		return false;
	return a->verdict == VERDICT_UNKNOWN ||
	       (a->verdict == VERDICT_FAIL && str_equal(why_of(a), why_of(b)) && same_places(a, b));
}

/* The next one behind `at` that shares the cause of `first`; NULL: there is none. */
static const struct finding *next_of_cause(const struct view *view, const struct finding *at,
                                           const struct finding *first)
{
	const struct judgement *judgement = view->input->judgement;
	const struct finding *end = judgement->findings.items + judgement->findings.count;
	while (++at < end)
		if (shares_cause(at, first))
			return at;
	return NULL;
}

static void print_unknown_group(const struct view *view, const struct finding *first)
{
	struct text rules CLEANUP(text_free) = { 0 };
	size_t count = 0;
	for (const struct finding *at = first; at; at = next_of_cause(view, at, first))
		text_printf(&rules, "%s%s", count++ ? ", " : "", at->rule->id);
	char heading[48];
	snprintf(heading, sizeof(heading), "%zu rules", count);
	print_head(view, VERDICT_UNKNOWN, heading, first->reason);
	print_labelled(view, "rules", text_get(&rules));
}

/* Each keeps its line with its tag, and its fix, so that failures can be counted and searched for. */
static void print_failed_group(const struct view *view, const struct finding *first)
{
	for (const struct finding *at = first; at; at = next_of_cause(view, at, first))
		print_head(view, VERDICT_FAIL, at->rule->id, "");
	layout_blanks(&view->layout, body_column(view));
	layout_wrapped(&view->layout, body_column(view), body_column(view), first->reason);
	print_body(view, first);
	for (const struct finding *at = first; at; at = next_of_cause(view, at, first))
		if (at == first || !str_equal(at->fix, first->fix))
			print_fix(view, at == first ? "fix" : "", at);
}

/* A finding with all that share its cause; nothing if it was printed with one before it. */
static void print_cause(const struct view *view, const struct finding *finding)
{
	for (const struct finding *at = view->input->judgement->findings.items; at < finding; at++)
		if (shares_cause(at, finding))
			return;
	if (!next_of_cause(view, finding, finding))
		print_finding(view, finding);
	else if (finding->verdict == VERDICT_UNKNOWN)
		print_unknown_group(view, finding);
	else
		print_failed_group(view, finding);
}

/* Of one level: failures, then what is not known, then (verbose) the rest. */
static void print_level(const struct view *view, enum level level)
{
	const struct judgement *judgement = view->input->judgement;
	bool any = false;
	for (int stage = 0; stage < 3; stage++) {
		for (size_t i = 0; i < judgement->findings.count; i++) {
			const struct finding *finding = &judgement->findings.items[i];
			int its_stage = finding->verdict == VERDICT_FAIL      ? 0
			                : finding->verdict == VERDICT_UNKNOWN ? 1
			                                                      : 2;
			if (finding->rule->level != level || its_stage != stage ||
			    !is_shown(view, finding->verdict))
				continue;
			if (!any)
				layout_styled(&view->layout, STYLE_DIM, level_names[level]);
			if (!any)
				fputc('\n', view->layout.out);
			any = true;
			print_cause(view, finding);
		}
	}
	if (any)
		fputc('\n', view->layout.out);
}

static bool has_fixes(const struct judgement *judgement)
{
	for (size_t i = 0; i < judgement->findings.count; i++)
		if (judgement->findings.items[i].verdict == VERDICT_FAIL && judgement->findings.items[i].fix)
			return true;
	return false;
}

/* What to do with each fix, and about all that is not known: said once. */
static void print_advice(const struct view *view)
{
	const struct judgement *judgement = view->input->judgement;
	enum input_kind kind = view->input->facts->kind;
	bool other_system = (kind == INPUT_DISK || kind == INPUT_TREE) && has_fixes(judgement);
	bool unknown =
		view->input->facts->examined != EXAMINED_NONE && judgement->counts[VERDICT_UNKNOWN] > 0;
	/* Some of them would do harm to the machine that this is read on. */
	if (other_system)
		layout_wrapped(&view->layout, 0, 2,
		               "Fixes are for the system inside, in a chroot of it or in what builds it.");
	if (unknown)
		layout_wrapped(&view->layout, 0, 2,
		               "Make sure by hand of what is unknown: 'slipway explain ID' says how a rule "
		               "is met.");
	if (other_system || unknown)
		fputc('\n', view->layout.out);
}

static void print_header(const struct view *view)
{
	const struct layout *layout = &view->layout;
	const struct facts *facts = view->input->facts;
	struct text name CLEANUP(text_free) = { 0 }, what CLEANUP(text_free) = { 0 };
	phrase_name(&name, view->input->name);
	phrase_input(&what, facts);
	unsigned column = layout_columns(text_get(&name)) + 3;
	layout_styled(layout, STYLE_BOLD, text_get(&name));
	layout_blanks(layout, what.size > 0 ? 3 : 0);
	/* Under a long name the rest hangs at a small indent, not at the far right. */
	layout_wrapped(layout, column, column <= 24 ? column : 4, text_get(&what));
	if (facts->examined != EXAMINED_FULL && facts->examined != EXAMINED_NONE && facts->reason) {
		layout_blanks(layout, 2);
		layout_styled(layout, STYLE_UNKNOWN, "not fully examined: ");
		layout_wrapped(layout, 22, 4, facts->reason);
	}
	fputc('\n', layout->out);
}

static void print_problem(const struct view *view, const struct problem *problem)
{
	struct text line CLEANUP(text_free) = { 0 };
	text_add(&line, problem->message ? problem->message : problem->code);
	if (problem->place.path || problem->place.offset || problem->place.partition) {
		text_add(&line, ": ");
		phrase_place(&line, &problem->place, view->input->facts);
	}
	layout_blanks(&view->layout, 2);
	layout_padded(&view->layout, STYLE_DIM, "noticed", 9);
	layout_wrapped(&view->layout, 11, 11, text_get(&line));
}

static void print_problems(const struct view *view)
{
	const struct facts *facts = view->input->facts;
	for (size_t i = 0; i < facts->table.problems.count; i++)
		print_problem(view, &facts->table.problems.items[i]);
	for (size_t i = 0; i < facts->boot.problems.count; i++)
		print_problem(view, &facts->boot.problems.items[i]);
	for (size_t i = 0; i < facts->problems.count; i++)
		print_problem(view, &facts->problems.items[i]);
	if (facts->table.problems.count || facts->boot.problems.count || facts->problems.count)
		fputc('\n', view->layout.out);
}

/* The guest OS features that the image has evidence for, and the command that declares them. */
static void print_features(const struct view *view)
{
	const struct facts *facts = view->input->facts;
	const struct judgement *judgement = view->input->judgement;
	if (facts->kind != INPUT_DISK || !(view->input->conforms || view->options->verbose))
		return;
	struct text list CLEANUP(text_free) = { 0 };
	for (size_t i = 0; i < judgement->features.count; i++)
		text_printf(&list, "%s%s", i ? "," : "", judgement->features.items[i]);
	const char *arch = NULL;
	for (size_t i = 0; i < facts->kernels.count; i++)
		if (facts->kernels.items[i].booted || !arch)
			arch = facts->kernels.items[i].arch;

	layout_styled(&view->layout, STYLE_DIM, "to create the image:\n");
	fputs("  gcloud compute images create NAME --source-uri=gs://BUCKET/disk.tar.gz", view->layout.out);
	if (str_equal(arch, "x86_64") || str_equal(arch, "arm64"))
		fprintf(view->layout.out, " --architecture=%s",
		        str_equal(arch, "arm64") ? "ARM64" : "X86_64");
	if (list.size > 0)
		fprintf(view->layout.out, " --guest-os-features=%s", text_get(&list));
	fputc('\n', view->layout.out);
	if (judgement->features_note) {
		layout_blanks(&view->layout, 2);
		layout_wrapped(&view->layout, 2, 2, judgement->features_note);
	}
	fputc('\n', view->layout.out);
}

static void print_input(struct view *view)
{
	const struct judgement *judgement = view->input->judgement;
	print_header(view);
	text_runs(&view->layout, view->input, view->options);
	for (size_t i = 0; i < judgement->findings.count; i++) {
		enum verdict verdict = judgement->findings.items[i].verdict;
		unsigned columns = layout_columns(tags[verdict].tag);
		if (is_shown(view, verdict) && columns > view->tag_columns)
			view->tag_columns = columns;
	}
	for (enum level level = LEVEL_REQUIRED; level <= LEVEL_ADVICE; level++)
		print_level(view, level);
	print_advice(view);
	if (view->options->verbose)
		print_problems(view);
	if (view->input->facts->examined != EXAMINED_NONE) {
		print_features(view);
		text_summary(&view->layout, judgement);
	}
}

void text_check(FILE *out, const struct policy *policy, const struct report_input *inputs, size_t count,
                const struct report_options *options)
{
	(void)policy;
	for (size_t i = 0; i < count; i++) {
		struct view view = {
			.layout = { out, options->width, options->colour },
			.input = &inputs[i],
			.options = options,
		};
		if (options->quiet && count > 1) {
			struct text name CLEANUP(text_free) = { 0 };
			phrase_name(&name, inputs[i].name);
			fprintf(out, "%s: ", text_get(&name));
		}
		if (!options->quiet)
			print_input(&view);
		text_closing(&view.layout, &inputs[i], options);
		if (!options->quiet && i + 1 < count)
			fputc('\n', out);
	}
}
