// Waits for the boot. Progress is what the console says and what the disk does; the wall clock decides
// nothing by itself, for a machine without KVM on a busy host takes minutes to do what others do in seconds.
#include "machine/boot.h"

/*
 * Seconds without progress after which it counts as hung. Of processor time where the guest is busy; of the
 * wall clock where it sleeps. A guest that is starved of processor time is neither for this many times as
 * long, and so is one that says nothing new.
 */
#define PATIENCE      60.0
#define STARVED_TIMES 5
#define BUSY_SHARE    0.8 /* of the patience, in processor time */
#define ASLEEP_SHARE  0.1 /* of the wall clock */
#define NOTHING_SHARE                                                                                        \
	0.5 /* of the patience, where the firmware jumped into boot code and nothing came of it */
#define RUNNING_TIMES  2   /* once init runs, which may work in silence */
#define LOOK_SECONDS   3.0 /* between two questions over QMP; less where the patience is short: */
#define LOOK_SHARE     0.25
/*
 * Operations of the disk between two looks, and for each second of processor time between them, beyond which
 * a guest works there. One whose services fail and are started again writes a few, into its journal.
 */
#define WORK_LEAST     10
#define SHOW_SECONDS   0.2 /* between two words on progress */
#define SETTLE_SECONDS 3.0 /* for the last lines after a failure, at most */
#define SILENT_SECONDS 0.7 /* and when none came for so long */

/*
 * A system that runs without a login prompt is told from one that waits: systemd begins to show what it waits
 * for after 25 seconds at the latest.
 */
#define QUIET_SECONDS 30.0
#define QUIET_SHARE   0.06 /* of a processor: what an idle guest takes without KVM, doubled */

/* Far beyond any boot. */
#define LAST_RESORT 7200.0

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

/* Reads and writes of all disks; what it was where QEMU does not say. */
static uint64_t disk_operations(struct boot *boot)
{
	json_t *disks = NULL;
	struct error error = { 0 };
	uint64_t operations = 0;
	if (!qmp_ask(&boot->qmp, "query-blockstats", NULL, &disks, &error))
		return boot->disk_operations;
	for (size_t i = 0; i < json_array_size(disks); i++) {
		const json_t *stats = json_object_get(json_array_get(disks, i), "stats");
		operations += (uint64_t)json_integer_value(json_object_get(stats, "rd_operations"));
		uint64_t writes = (uint64_t)json_integer_value(json_object_get(stats, "wr_operations"));
		operations += writes;
		boot->has_written |= writes > 0;
	}
	json_decref(disks);
	return operations;
}

/* A kernel that prints nothing shows in that it drives the disk. */
static void look_for_silent_kernel(struct boot *boot)
{
	uint64_t line = 0;
	struct run_step *step = &boot->run->steps[RUN_KERNEL];
	if (step->reached || boot_disk_is_driven(boot, &line) != ANSWER_YES)
		return;
	*step = (struct run_step){
		.reached = true,
		.seconds = boot_seconds(boot),
		.cpu_seconds = boot_cpu_seconds(boot),
		.place = { .path = RUN_QMP_PATH,
		           .line = line,
		           .text = "a driver agreed on features with the virtio-scsi controller" },
	};
}

/* Seconds. */
static double patience_of(const struct boot *boot)
{
	return boot->request->patience > 0 ? boot->request->patience : PATIENCE;
}

/* Takes down what moved since the last look. */
static void look(struct boot *boot)
{
	double now = boot_seconds(boot), cpu = boot_cpu_seconds(boot);
	if (boot->console.bytes != boot->bytes) {
		boot->bytes = boot->console.bytes;
		boot->spoke = boot->moved = now;
		boot->spoke_cpu = boot->moved_cpu = cpu;
	}
	if (boot->console.news != boot->news) {
		boot->news = boot->console.news;
		boot->fresh = now;
	}
	double share = patience_of(boot) * LOOK_SHARE;
	if (now - boot->looked < (share < LOOK_SECONDS ? share : LOOK_SECONDS))
		return;
	boot->looked = now;
	uint64_t operations = disk_operations(boot);
	if (operations != boot->disk_operations) {
		double done = (double)operations - (double)boot->disk_operations;
		if (done > WORK_LEAST && done > WORK_LEAST * (cpu - boot->looked_cpu))
			boot->fresh = now;
		boot->disk_operations = operations;
		boot->moved = now;
		boot->moved_cpu = cpu;
	}
	boot->looked_cpu = cpu;
	look_for_silent_kernel(boot);
}

static bool is_hung(struct boot *boot)
{
	double patience = patience_of(boot);
	if (boot->run->steps[RUN_INIT].reached)
		patience *= RUNNING_TIMES;
	if (boot_is_in_boot_code(boot))
		patience *= NOTHING_SHARE;
	/* One who prints the same without end moves, and yet comes to nothing. */
	if (boot_seconds(boot) - boot->fresh >= patience * STARVED_TIMES)
		return true;
	double wall = boot_seconds(boot) - boot->moved, cpu = boot_cpu_seconds(boot) - boot->moved_cpu;
	if (wall < patience)
		return boot_seconds(boot) > LAST_RESORT;
	return cpu >= patience * BUSY_SHARE || cpu <= wall * ASLEEP_SHARE || wall >= patience * STARVED_TIMES;
}

static bool is_quiet(struct boot *boot)
{
	double now = boot_seconds(boot), cpu = boot_cpu_seconds(boot);
	/*
	 * A guest that shall tell of itself is given its time; but one that has come up and nothing of it
	 * came has no such port: what it is made of is proved all the same.
	 */
	if (!boot->run->steps[boot->has_inside ? RUN_LOGIN : RUN_INIT].reached ||
	    (boot->has_inside && boot->inside.state == INSIDE_SENDING))
		return false;
	/* Work in silence starts the time anew. */
	if (cpu - boot->spoke_cpu > QUIET_SHARE * QUIET_SECONDS) {
		boot->spoke = now;
		boot->spoke_cpu = cpu;
	}
	return now - boot->spoke >= QUIET_SECONDS;
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

/* A guest that failed may have more to say on why, and a machine that ended an event on the way. */
static void settle(struct boot *boot)
{
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
		look(boot);
		if (boot->outcome != BOOT_WAITS)
			continue; /* interrupted, while QEMU was asked */
		if (is_quiet(boot))
			boot->outcome = BOOT_QUIET;
		else if (is_hung(boot))
			boot->outcome = BOOT_HUNG;
	}
	if (boot->outcome != BOOT_STOPPED)
		boot_halt_resets(boot, false);
	settle(boot);
}
