// Waits for the boot, asks how it goes, and ends the wait. What is progress, and what a standstill, is said
// in boot_progress.c.
#include "machine/boot.h"

#define SHOW_SECONDS   0.2 /* between two words on progress */
#define SETTLE_SECONDS 3.0 /* for the last lines after a failure, at most */
#define SILENT_SECONDS 0.7 /* and when none came for so long */
#define PROMPT_SECONDS 10  /* for a login prompt, from when the guest has told what it sees */

static enum run_phase phase_of(const struct run *run)
{
	enum run_phase phase = RUN_FIRMWARE;
	for (enum run_phase i = 0; i < RUN_PHASES; i++)
		if (run->steps[i].reached)
			phase = i;
	return phase;
}

void boot_show(struct boot *boot, const char *doing)
{
	double now = seconds_now();
	if (!boot->request->progress || (!doing && now - boot->shown_at < SHOW_SECONDS))
		return;
	boot->shown_at = now;
	const struct machine_progress progress = {
		.phase = phase_of(boot->run),
		.seconds = boot_seconds(boot),
		.last_line = console_last(&boot->console),
		.doing = doing,
	};
	boot->request->progress(boot->request->context, &progress);
}

enum answer boot_disk_is_driven(struct boot *boot, uint64_t *line)
{
	json_t *status = NULL;
	struct error error = { 0 };
	if (!qmp_has(&boot->qmp, "x-query-virtio-status") ||
	    !qmp_ask(&boot->qmp, "x-query-virtio-status",
	             json_pack("{s:s}", "path", "/machine/peripheral/" MACHINE_SCSI "/virtio-backend"),
	             &status, &error))
		return ANSWER_UNKNOWN;
	*line = boot->qmp.reply_line;
	const json_t *features = json_object_get(status, "guest-features");
	bool any = json_array_size(json_object_get(features, "dev-features")) > 0 ||
	           json_array_size(json_object_get(features, "transports")) > 0;
	json_decref(status);
	return !features ? ANSWER_UNKNOWN : any ? ANSWER_YES : ANSWER_NO;
}

bool boot_is_in_boot_code(const struct boot *boot)
{
	const struct run_step *steps = boot->run->steps;
	/* SeaBIOS says this last; the loaders of a BIOS speak through it, and so on ttyS0. */
	return boot->request->firmware == MACHINE_BIOS && !steps[RUN_LOADER].reached &&
	       !steps[RUN_KERNEL].reached && str_starts(console_last(&boot->console), "Booting from ");
}

static enum boot_outcome outcome_now(struct boot *boot)
{
	if (boot->outcome == BOOT_INTERRUPTED)
		return BOOT_INTERRUPTED;
	if (boot->console.failed)
		return BOOT_SYMPTOM;
	if (boot->has_inside && inside_done(&boot->inside))
		return BOOT_REPORTED;
	if (boot_is_gone(boot) || boot_stop_event(boot))
		return BOOT_STOPPED;
	if (boot->run->steps[RUN_LOGIN].reached && !boot->has_inside)
		return BOOT_LOGIN;
	return BOOT_WAITS;
}

/*
 * A kernel that is given to QEMU is loaded by a ROM, which says nothing itself; SeaBIOS says that it runs it,
 * in a line that ends when there is another.
 */
static bool loads_by_itself(const struct boot *boot)
{
	static const char mark[] = "Booting from ROM...";
	return boot->request->firmware == MACHINE_KERNEL && (str_starts(console_last(&boot->console), mark) ||
	                                                     console_find(&boot->console, 0, mark, NULL));
}

/*
 * Is it time to see where counters stand before a kernel changes them? Behind the firmware's own use of the
 * devices: at the loader's first line, for a kernel may be quiet, or at the kernel's.
 */
static bool begins(const struct boot *boot)
{
	const struct run_step *steps = boot->run->steps;
	return !boot->begun &&
	       (steps[RUN_LOADER].reached || steps[RUN_KERNEL].reached || loads_by_itself(boot));
}

static bool is_over(void *context)
{
	struct boot *boot = context;
	boot_show(boot, NULL);
	return begins(boot) || outcome_now(boot) != BOOT_WAITS;
}

static bool has_prompt(void *context)
{
	struct boot *boot = context;
	return boot->run->steps[RUN_LOGIN].reached || boot->console.failed || boot_is_gone(boot);
}

/*
 * A guest that failed may have more to say on why, and a machine that ended an event on the way. One that
 * told what it sees may have done so before its login prompt stood there.
 */
static void settle(struct boot *boot)
{
	if (boot->outcome == BOOT_REPORTED)
		(void)loop_until(&boot->loop, PROMPT_SECONDS, has_prompt, boot);
	if (boot->outcome == BOOT_REPORTED && boot->console.failed)
		boot->outcome = BOOT_SYMPTOM;
	if (boot->outcome == BOOT_SYMPTOM || boot->outcome == BOOT_STOPPED) {
		double end = seconds_now() + (boot->ended ? 0.2 : SETTLE_SECONDS);
		double heard = seconds_now();
		uint64_t bytes = boot->console.bytes;
		boot->loop.stopped = false;
		while (seconds_now() < end && seconds_now() - heard < SILENT_SECONDS && !boot->loop.stopped) {
			(void)loop_until(&boot->loop, 0.1, NULL, NULL);
			if (boot->console.bytes != bytes)
				heard = seconds_now();
			bytes = boot->console.bytes;
		}
		boot_drain(boot);
	}
	if (boot->console.failed && boot->outcome == BOOT_STOPPED)
		boot->outcome = BOOT_SYMPTOM;
}

void boot_follow(struct boot *boot)
{
	boot_halt_resets(boot, true);
	while (boot->outcome == BOOT_WAITS) {
		(void)loop_until(&boot->loop, 1, is_over, boot);
		if (begins(boot) && !boot->loop.stopped) {
			boot->begun = true;
			boot_forbid_resets(boot);
			if (boot->request->prove)
				proofs_begin(&boot->machine);
		}
		boot->outcome = outcome_now(boot);
		if (boot->outcome == BOOT_STOPPED && boot_restart(boot) && boot->outcome == BOOT_STOPPED)
			boot->outcome = BOOT_WAITS; /* not where a user ended it meanwhile */
		if (boot->outcome != BOOT_WAITS || boot->loop.stopped)
			continue;
		boot_look(boot);
		if (boot->outcome != BOOT_WAITS)
			continue; /* interrupted, while QEMU was asked */
		if (boot_is_quiet(boot))
			boot->outcome = BOOT_QUIET;
		else if (boot_is_hung(boot))
			boot->outcome = BOOT_HUNG;
	}
	if (boot->outcome != BOOT_STOPPED)
		boot_halt_resets(boot, false);
	settle(boot);
}
