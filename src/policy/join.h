// What was read and what ran, side by side; private to policy/.
//
//   ran.c         what the runs say of one rule
//   join.c        that, put into the findings
//   join_boots.c  whether it boots, and where the two contradict each other
#pragma once

#include "policy/policy.h"

/* What is joined. Borrowed for its time. */
struct join {
	const struct facts *facts;
	const struct run *runs;
	size_t run_count;
	const struct judgement **insides; /* one a run: the guest's own view, judged; NULL: there is none */
	struct arena *arena;
	struct judgement *judgement;
	const struct finding *read; /* the findings before they were joined, in the same order */
	enum answer read_boots;
};

/* What the runs say of one rule. */
struct ran {
	enum answer shown;                /* YES: it is met; NO: it is not; UNKNOWN: nothing decides it */
	const char *reason;               /* what was seen, or why nothing was; "" */
	const char *found, *wanted, *fix; /* NULL: as read */
	bool by_equivalent;
	LIST(struct place) evidence;
};

/* Does the run say anything of the image? Not where it never started, was interrupted, or the machine died.
 */
bool run_counts(const struct run *run);

/*
 * Was it booted with words that its user put behind the command line, and that may change what it does? Such
 * a run shows what would be, and decides nothing of what was given.
 */
bool run_is_altered(const struct join *join, const struct run *run);

/* Did the system come up, as far as one run shows? Of a machine that is not the page's nothing is known. */
enum answer run_came_up(const struct join *join, const struct run *run);

/* Did it, by all runs? The worst counts, but for a firmware of which reading says that it leads nowhere. */
enum answer runs_came_up(const struct join *join);

/* Does reading say that this run's firmware finds nothing to start? Then nobody will start it so. */
bool run_has_no_way_in(const struct join *join, const struct run *run);

/* What the runs say of the n-th rule. */
void ran_find(const struct join *join, size_t n, struct ran *out);

/* "with BIOS", with several runs; else "". */
const char *ran_where(const struct join *join, const struct run *run);

/* A place in a run's files: with several runs those of each lie in a folder of its own. */
struct place ran_place(const struct join *join, const struct run *run, const struct place *place);

void add_evidence(struct arena *arena, struct finding *finding, const struct place *place);

/* Sets boots, boots_because and came_up. */
void join_boots(const struct join *join);

/* Fills the finding of a rule with Check=as-predicted. */
void join_contradictions(const struct join *join, struct finding *finding);
