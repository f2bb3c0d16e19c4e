// Progress and standstill. The wall clock decides nothing by itself, for a machine without KVM on a busy host
// takes minutes to do what others do in seconds. The rules:
//
// Progress is a line of the console in words that no line before had (numbers, times and addresses aside),
// and disks that work: WORK_RATE over some time, as a check of a file system, its growth, or new labels for
// all files take, which say little. What a system that only waits writes into its logs is less. Work that has
// read and written a multiple of the disk without a word on the way has no end.
//
// Processor time is no progress: who spins has as much of it as who works. Nor is a line that comes again, as
// systemd's "A start job is running for ... (1min 2s / no limit)" does.
//
// It counts as hung
//   * without any byte from the console or to a disk, after the patience: in processor time where the guest
//     is busy, of the wall clock where it sleeps; where it is neither, it is starved, and has STARVED_TIMES
//     as long;
//   * with such bytes, but without progress, after STARVED_TIMES the patience, and not before systemd gives
//     up what it waits for, where it says that it will. Time in which a busy host had no processor for the
//     guest is not counted.
// Twice as long where init runs, which may work in silence; and in any case after LAST_RESORT.
#include "machine/boot.h"

#define PATIENCE      60.0 /* seconds, where the user names none */
#define STARVED_TIMES 5
#define BUSY_SHARE    0.8 /* of the patience, in processor time */
#define ASLEEP_SHARE  0.1 /* of the wall clock */
#define NOTHING_SHARE 0.5 /* of the patience, where the firmware started boot code and nothing came of it */
#define RUNNING_TIMES 2   /* once init runs */
#define LOOK_SECONDS  3.0 /* between two questions over QMP; less where the patience is short: */
#define LOOK_SHARE    0.25

/* Bytes a second that are work, over a share of the patience; and so much work in silence, in disks. */
#define WORK_RATE   65536.0
#define WORK_SHARE  0.5
#define WORK_TIMES  4
#define WORK_AT_ALL ((uint64_t)4 << 30) /* bytes, however small the disk is */

/*
 * A system that runs without a login prompt is told from one that waits: systemd begins to show what it waits
 * for after 25 seconds at the latest.
 */
#define QUIET_SECONDS 30.0
#define QUIET_SHARE   0.06 /* of a processor: what an idle guest takes without KVM, doubled */

/* Far beyond any boot. */
#define LAST_RESORT 7200.0

static uint64_t number(const json_t *stats, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(stats, name));
	return value > 0 ? (uint64_t)value : 0;
}

/* Reads and writes of all disks; what it was where QEMU does not say. */
static void ask_disks(struct boot *boot)
{
	json_t *disks = NULL;
	struct error error = { 0 };
	uint64_t operations = 0, traffic = 0;
	if (!qmp_ask(&boot->qmp, "query-blockstats", NULL, &disks, &error))
		return;
	for (size_t i = 0; i < json_array_size(disks); i++) {
		const json_t *stats = json_object_get(json_array_get(disks, i), "stats");
		uint64_t writes = number(stats, "wr_operations");
		operations += number(stats, "rd_operations") + writes;
		traffic += number(stats, "rd_bytes") + number(stats, "wr_bytes");
		boot->has_written |= writes > 0;
	}
	json_decref(disks);
	boot->progress.operations = operations;
	boot->progress.traffic = traffic;
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

/* Did the disks work, since it was asked last that they did or had the time to? */
static bool disks_work(struct boot *boot, double given)
{
	struct boot_progress *progress = &boot->progress;
	double window = patience_of(boot) * WORK_SHARE;
	bool enough = (double)progress->traffic - (double)progress->window_traffic >= WORK_RATE * window;
	if (enough || given - progress->window_given >= window) {
		progress->window_given = given;
		progress->window_traffic = progress->traffic;
	}
	uint64_t most = boot->request->disk_size;
	most = most > (UINT64_MAX - WORK_AT_ALL) / WORK_TIMES ? UINT64_MAX : most * WORK_TIMES + WORK_AT_ALL;
	return enough && (progress->traffic <= most || progress->traffic - most <= progress->fresh_traffic);
}

static void is_fresh(struct boot *boot, double now, double given)
{
	boot->progress.fresh = now;
	boot->progress.fresh_given = given;
}

void boot_look(struct boot *boot)
{
	struct boot_progress *progress = &boot->progress;
	double now = boot_seconds(boot), cpu = boot_cpu_seconds(boot);
	if (boot->console.bytes != progress->bytes) {
		progress->bytes = boot->console.bytes;
		progress->spoke = progress->moved = now;
		progress->spoke_cpu = progress->moved_cpu = cpu;
	}
	if (boot->console.news != progress->news) {
		progress->news = boot->console.news;
		progress->fresh_traffic = progress->traffic;
		is_fresh(boot, now, boot_given_seconds(boot));
	}
	double share = patience_of(boot) * LOOK_SHARE;
	if (now - progress->looked < (share < LOOK_SECONDS ? share : LOOK_SECONDS))
		return;
	progress->looked = now;
	uint64_t operations = progress->operations, traffic = progress->traffic;
	ask_disks(boot);
	if (progress->operations != operations || progress->traffic != traffic) {
		progress->moved = now;
		progress->moved_cpu = cpu;
	}
	double given = boot_given_seconds(boot);
	if (disks_work(boot, given))
		is_fresh(boot, now, given);
	look_for_silent_kernel(boot);
}

/* When systemd gives up the last of what it waits for; 0: never, or it waits for nothing. */
static double limit_of_jobs(const struct boot *boot)
{
	double most = 0;
	for (const struct console_job *job = NULL; (job = console_next_job(&boot->console, job));)
		most = job->limit > most ? job->limit : most;
	return most;
}

bool boot_is_hung(struct boot *boot)
{
	const struct boot_progress *progress = &boot->progress;
	double patience = patience_of(boot), now = boot_seconds(boot);
	if (boot->run->steps[RUN_INIT].reached)
		patience *= RUNNING_TIMES;
	if (boot_is_in_boot_code(boot))
		patience *= NOTHING_SHARE;
	double longest = patience * STARVED_TIMES, limit = limit_of_jobs(boot);
	if (limit > 0 && limit + patience > longest)
		longest = limit + patience;
	if (now >= LAST_RESORT || boot_given_seconds(boot) - progress->fresh_given >= longest)
		return true;
	double wall = now - progress->moved, cpu = boot_cpu_seconds(boot) - progress->moved_cpu;
	return wall >= patience && (cpu >= patience * BUSY_SHARE || cpu <= wall * ASLEEP_SHARE ||
	                            wall >= patience * STARVED_TIMES);
}

bool boot_is_quiet(struct boot *boot)
{
	struct boot_progress *progress = &boot->progress;
	double now = boot_seconds(boot), cpu = boot_cpu_seconds(boot);
	/*
	 * A guest that shall tell of itself is given its time; but one that has come up and nothing of it
	 * came has no such port: what it is made of is proved all the same.
	 */
	bool is_told = boot->has_inside && boot->inside.state == INSIDE_COMPLETE;
	if ((!is_told && !boot->run->steps[boot->has_inside ? RUN_LOGIN : RUN_INIT].reached) ||
	    (boot->has_inside && boot->inside.state == INSIDE_SENDING))
		return false;
	/* Work in silence starts the time anew. */
	if (cpu - progress->spoke_cpu > QUIET_SHARE * QUIET_SECONDS) {
		progress->spoke = now;
		progress->spoke_cpu = cpu;
	}
	return now - progress->spoke >= QUIET_SECONDS;
}
