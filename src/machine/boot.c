#include "machine/boot.h"

#include <stdlib.h>
#include <unistd.h>

/* Of a system that did not come up these are told by the console alone; nothing is asked of its devices. */
static bool is_told_by_console(enum proof_id id)
{
	return id == PROOF_CONSOLE || id == PROOF_ROOT || id == PROOF_LOGIN;
}

static const char *why_not_proved(const struct boot *boot)
{
	if (boot->run->end == RUN_INTERRUPTED || boot->outcome == BOOT_INTERRUPTED)
		return "the run was interrupted";
	if (boot->run->end == RUN_CAME_UP)
		return "the machine ended before it could be asked";
	return boot->run->end == RUN_MACHINE ? "the machine failed before the system was up"
	                                     : "the system did not come up";
}

static void prove(struct boot *boot)
{
	struct run *run = boot->run;
	for (const struct proof_row *row = proof_rows; row->prove && boot->request->prove; row++) {
		if (boot->loop.stopped || (run->end != RUN_CAME_UP && !is_told_by_console(row->id)))
			continue;
		boot_show(boot, row->doing);
		row->prove(&boot->machine, &run->proofs[row->id]);
	}
	for (size_t i = 0; i < PROOF_COUNT; i++) {
		struct proof *proof = &run->proofs[i];
		if (boot->request->prove && proof->shown == ANSWER_UNKNOWN && !proof->reason)
			proof->reason = why_not_proved(boot);
	}
}

/* What came up and then restarts or ends itself has come up all the same. */
static bool ends_itself(struct boot *boot)
{
	const struct qmp_event *event = boot_stop_event(boot);
	bool resets = event && str_equal(event->detail, "guest-reset");
	if (!resets && !(event && str_equal(event->detail, "guest-shutdown")))
		return false;
	boot->run->ended =
		arena_printf(boot->arena, "%s; then the guest %s, before all was proved", boot->run->ended,
	                     resets ? "restarted itself" : "switched itself off");
	return true;
}

/*
 * A machine that ends, a user who does, or a system that fails while proofs are made; before them it had
 * failed, or not, and shown so many symptoms.
 */
static void judge_again(struct boot *boot, bool had_failed, size_t symptoms)
{
	struct run *run = boot->run;
	bool fails = boot->console.failed && !had_failed;
	if (run->end != RUN_CAME_UP || (!boot->loop.stopped && !fails))
		return;
	if (fails && boot->outcome != BOOT_INTERRUPTED) {
		boot->outcome = BOOT_SYMPTOM;
		/* They are the cause, not what the system came up with all the same. */
		symptoms_put_first(run, symptoms);
	} else if (boot->outcome != BOOT_INTERRUPTED) {
		if (ends_itself(boot))
			return;
		boot->outcome = BOOT_STOPPED;
	}
	boot_judge(boot);
}

static int take_capture(struct boot *boot)
{
	int capture = -1;
	if (!boot->has_inside)
		return -1;
	if (boot->inside.state == INSIDE_COMPLETE) {
		capture = boot->capture;
		boot->capture = -1;
	} else if (boot->inside.reason) {
		boot->run->inside_reason = boot->inside.reason;
	} else {
		boot->run->inside_reason =
			arena_printf(boot->arena, "nothing of it came over ttyS1: %s", boot->run->ended);
	}
	if (boot->capture >= 0)
		close(boot->capture);
	return capture;
}

static void prepare(struct boot *boot)
{
	for (unsigned i = 0; i < ARRAY_SIZE(boot->ports); i++)
		boot->ports[i] = boot->port_ends[i] = -1;
	boot->qmp_ends[0] = boot->qmp_ends[1] = -1;
	boot->capture = boot->console_log = boot->qmp_log = boot->pcap = -1;
	boot->workspace = (struct workspace){ -1, -1, -1, -1 };
	boot->process = (struct machine_process){ .process = -1, .pidfd = -1, .said = -1 };
	boot->interrupt.descriptor = -1;
	boot->network = (struct network){ .tap = -1, .pcap = -1 };
	boot->qmp.socket = boot->qmp.log.file = boot->console.log.file = -1;
	boot->copy = boot->request->console;
	boot->machine = (struct machine){
		.request = boot->request,
		.loop = &boot->loop,
		.arena = boot->arena,
		.qmp = &boot->qmp,
		.console = &boot->console,
		.network = &boot->network,
		.run = boot->run,
		.process = &boot->process,
		.said = -1,
	};
}

bool machine_boot(const struct machine_request *request, struct arena *arena, struct run *out,
                  int *inside_capture, struct error *error)
{
	*out = (struct run){ 0 };
	*inside_capture = -1;
	/* Too large for a stack: the events of QMP. */
	struct boot *boot = xmalloc(sizeof(*boot));
	*boot = (struct boot){ .request = request, .arena = arena, .run = out };
	prepare(boot);
	bool on = boot_switch_on(boot, error);
	if (on) {
		boot_follow(boot);
		boot_judge(boot);
		bool has_failed = boot->console.failed;
		size_t symptoms = out->symptoms.count;
		prove(boot);
		boot_look_for_services(boot);
		judge_again(boot, has_failed, symptoms);
		*inside_capture = take_capture(boot);
	} else if (boot->capture >= 0) {
		close(boot->capture);
	}
	boot_switch_off(boot);
	free(boot);
	return on;
}
