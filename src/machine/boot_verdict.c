// How a boot ended, in words, and the symptoms that no line of the console tells.
#include <string.h>
#include <sys/wait.h>

#include "machine/boot.h"

/* For a service of the guest to answer, seconds. */
#define ANSWER_SECONDS 15

const struct qmp_event *boot_stop_event(const struct boot *boot)
{
	static const char *const names[] = { "GUEST_PANICKED", "SHUTDOWN", "STOP" };
	for (size_t i = boot->events_read; i < boot->qmp.event_count; i++)
		for (size_t n = 0; n < ARRAY_SIZE(names); n++)
			if (str_equal(boot->qmp.events[i].name, names[n]))
				return &boot->qmp.events[i];
	return NULL;
}

static void end(struct boot *boot, enum run_end how, const char *sentence)
{
	boot->run->end = how;
	boot->run->ended = sentence;
}

static const char *console_port(const struct boot *boot)
{
	return qemu_console(boot->request->qemu);
}

/* What the console's last word was, for sentences. */
static const char *after_what(struct boot *boot)
{
	const char *line = console_last(&boot->console);
	return *line ? arena_printf(boot->arena, "; the console's last line is \"%.*s\"",
	                            (int)str_fit(line, 200), line)
	             : "; the console said nothing";
}

/* The machine stands still: STOP. Its status says why. */
static void judge_stop(struct boot *boot)
{
	json_t *reply = NULL;
	struct error error = { 0 };
	const char *status = "";
	if (qmp_ask(&boot->qmp, "query-status", NULL, &reply, &error)) {
		struct text clean CLEANUP(text_free) = { 0 };
		status = json_string_value(json_object_get(reply, "status"));
		text_add_clean(&clean, span_text(status ? status : ""));
		status = arena_string(boot->arena, span_of(text_get(&clean), str_fit(text_get(&clean), 40)));
	}
	json_decref(reply);
	if (str_equal(status, "io-error"))
		end(boot, RUN_MACHINE,
		    "there was no room, or no way, to write what the guest wrote to its disk: set TMPDIR to a "
		    "folder with more room");
	else if (str_equal(status, "guest-panicked"))
		end(boot, RUN_FAILED, "the guest told the machine of a panic");
	else
		end(boot, RUN_MACHINE,
		    arena_printf(boot->arena, "QEMU stopped the guest (%s)",
		                 *status ? status : "for no reason that it gives"));
}

/* QEMU is gone, and no event said that it would be. */
static void judge_death(struct boot *boot)
{
	struct text why CLEANUP(text_free) = { 0 };
	if (WIFSIGNALED(boot->status))
		text_printf(&why, "QEMU was killed by signal %d (%s)", WTERMSIG(boot->status),
		            strsignal(WTERMSIG(boot->status)));
	else
		text_printf(&why, "QEMU ended with status %d", WEXITSTATUS(boot->status));
	if (*boot_complaint(boot))
		text_printf(&why, " and said \"%.*s\"", (int)str_fit(boot_complaint(boot), 300),
		            boot_complaint(boot));
	end(boot, RUN_MACHINE, arena_strdup(boot->arena, text_get(&why)));
}

static void judge_stopped(struct boot *boot)
{
	const struct qmp_event *event = boot_stop_event(boot);
	if (!event)
		judge_death(boot);
	else if (str_equal(event->name, "GUEST_PANICKED") || str_equal(event->detail, "guest-panic"))
		end(boot, RUN_FAILED, "the guest told the machine of a panic");
	else if (str_equal(event->name, "STOP"))
		judge_stop(boot);
	else if (str_equal(event->detail, "guest-reset") && boot->restarts > 0)
		end(boot, RUN_FAILED,
		    arena_printf(boot->arena, "the guest restarted itself a second time%s",
		                 after_what(boot)));
	else if (str_equal(event->detail, "guest-reset") && boot->run->steps[RUN_INIT].reached &&
	         !qmp_has(&boot->qmp, "set-action"))
		end(boot, RUN_MACHINE, "the guest restarted itself, which this QEMU cannot be told to allow");
	else if (str_equal(event->detail, "guest-reset"))
		end(boot, RUN_FAILED,
		    arena_printf(
			    boot->arena, "the guest reset the machine%s%s",
			    boot->console.kernel_spoke
				    ? ""
				    : " before its kernel spoke, or the processor gave up (triple fault)",
			    after_what(boot)));
	else if (str_equal(event->detail, "guest-shutdown"))
		end(boot, RUN_FAILED,
		    arena_printf(boot->arena, "the guest switched the machine off%s", after_what(boot)));
	else
		end(boot, RUN_MACHINE,
		    arena_printf(boot->arena, "QEMU was told to end (%s)",
		                 *event->detail ? event->detail : "no reason given"));
}

static void add_symptom(struct boot *boot, const char *name, struct place place)
{
	size_t before = boot->run->symptoms.count;
	symptom_add(boot->run, boot->arena, name, place);
	/* The cause goes before what follows from it. */
	symptoms_put_first(boot->run, before);
}

/* A boot that found no root: is it that nobody drives the disk? A kernel by itself has no modules. */
static void ask_for_driver(struct boot *boot)
{
	uint64_t line = 0;
	if (boot->ended || boot->request->disk < 0 || !boot->console.kernel_spoke ||
	    boot->run->steps[RUN_ROOT].reached || boot_disk_is_driven(boot, &line) != ANSWER_NO)
		return;
	add_symptom(boot, "driver-never-bound",
	            (struct place){
			    .path = RUN_QMP_PATH,
			    .line = line,
			    .text = "no driver agreed on features with the virtio-scsi controller",
		    });
}

/* Has the kernel, or what it started, said nothing, though it drives the disk? A firmware does not. */
static bool runs_in_silence(struct boot *boot, uint64_t *line)
{
	const struct run_step *steps = boot->run->steps;
	return !boot->ended && !boot->console.kernel_spoke && !steps[RUN_ROOT].reached &&
	       (!steps[RUN_INIT].reached || str_equal(steps[RUN_INIT].place.path, RUN_FRAMES_PATH)) &&
	       boot_disk_is_driven(boot, line) == ANSWER_YES;
}

/* The disk is driven, and neither a kernel nor an init has said a word. */
static void ask_for_silent_kernel(struct boot *boot)
{
	uint64_t line = 0;
	if (!runs_in_silence(boot, &line))
		return;
	add_symptom(boot, "no-console",
	            (struct place){
			    .path = RUN_QMP_PATH,
			    .line = line,
			    .text = arena_printf(boot->arena,
	                                         "a driver agreed on features with the virtio-scsi "
	                                         "controller, and %s shows no line of a kernel",
	                                         console_port(boot)),
		    });
}

/* The boot code runs in circles, or is none: its signature is all that a BIOS looks at. */
static void ask_for_boot_code(struct boot *boot)
{
	if (boot_is_in_boot_code(boot))
		add_symptom(boot, "boot-code-silent",
		            (struct place){
				    .path = RUN_CONSOLE_PATH,
				    .line = boot->console.line_count,
				    .text = arena_strdup(boot->arena, console_last(&boot->console)),
			    });
}

static void judge_failed(struct boot *boot)
{
	const struct run *run = boot->run;
	for (size_t i = 0; i < run->symptoms.count; i++)
		if (str_equal(run->symptoms.items[i].name, "unable-to-mount-root")) {
			ask_for_driver(boot);
			break;
		}
	end(boot, RUN_FAILED, run->symptoms.items[0].message);
}

/*
 * A system may be told to say nothing, and have its login elsewhere: it stands still as one that hangs does,
 * but has written to its disk and answers on its network. Of a kernel that nobody hears the questions to the
 * metadata server count as well: no firmware asks them.
 */
static bool answers_on_network(struct boot *boot)
{
	const struct network_seen *seen = &boot->network.seen;
	uint64_t line;
	if (boot->ended || !boot->request->prove || boot->network.tap < 0 || !boot->has_written ||
	    !seen->has_address)
		return false;
	bool silent = runs_in_silence(boot, &line);
	if (!silent && !boot->console.kernel_spoke)
		return false;
	const char *shown =
		network_answers(&boot->network, ANSWER_SECONDS) ? boot->network.conversation : NULL;
	if (!shown && silent && seen->metadata_paths.count > 0)
		shown = arena_printf(boot->arena, "the metadata server was asked for %s",
		                     seen->metadata_paths.items[0]);
	if (!shown || boot->outcome == BOOT_INTERRUPTED)
		return false;
	boot->run->answers = true;
	struct run_step *init = &boot->run->steps[RUN_INIT];
	if (!init->reached)
		*init = (struct run_step){
			.reached = true,
			.seconds = boot_seconds(boot),
			.cpu_seconds = boot_cpu_seconds(boot),
			.place = { .path = RUN_FRAMES_PATH, .text = shown },
		};
	return true;
}

/* "systemd waits without end for "Wait for Network""; "": for nothing */
static const char *jobs_of(const struct boot *boot)
{
	struct text jobs CLEANUP(text_free) = { 0 };
	bool ends = false;
	for (const struct console_job *job = NULL; (job = console_next_job(&boot->console, job));) {
		text_printf(&jobs, "%s\"%s\"", jobs.size > 0 ? " and " : "", job->name);
		ends |= job->limit > 0;
	}
	return jobs.size > 0 ? arena_printf(boot->arena, "systemd waits%s for %s", ends ? "" : " without end",
	                                    text_get(&jobs))
	                     : "";
}

static void end_up_on_network(struct boot *boot)
{
	const char *jobs = jobs_of(boot);
	end(boot, RUN_CAME_UP,
	    boot->run->steps[RUN_KERNEL].reached && !boot->console.kernel_spoke
	            ? arena_printf(
			      boot->arena,
			      "the system is at work on its network, and its console is missing: nothing "
			      "of it came out of %s",
			      console_port(boot))
	            : arena_printf(boot->arena,
	                           "the system answers on its network, without a login prompt on %s%s%s",
	                           console_port(boot), *jobs ? "; " : "", jobs));
}

/* Of what a guest was asked to tell. */
static const char *what_it_told(const struct boot *boot)
{
	const struct inside *inside = &boot->inside;
	if (inside->state == INSIDE_BROKEN)
		return "the guest spoke over ttyS1, and what it told of itself cannot be used";
	if (inside->state != INSIDE_COMPLETE)
		return "the system came up, and then told nothing of itself over its serial ports";
	bool both = !inside->port_seen[2] && !inside->port_seen[3];
	if (inside->port_seen[2] && inside->port_seen[3])
		return "the guest told of itself over ttyS1";
	return arena_printf(boot->arena, "the guest told of itself over ttyS1, and nothing came over %s",
	                    both                   ? "ttyS2 and ttyS3"
	                    : inside->port_seen[2] ? "ttyS3"
	                                           : "ttyS2");
}

static void judge_hung(struct boot *boot)
{
	if (boot->has_inside && boot->inside.state == INSIDE_COMPLETE) {
		end(boot, RUN_CAME_UP, what_it_told(boot));
		return;
	}
	if (answers_on_network(boot)) {
		ask_for_silent_kernel(boot);
		end_up_on_network(boot);
		return;
	}
	if (!boot->run->steps[RUN_INIT].reached)
		ask_for_driver(boot);
	ask_for_silent_kernel(boot);
	ask_for_boot_code(boot);
	if (boot->run->symptoms.count > 0) {
		bool has_address = boot->network.tap >= 0 && boot->network.seen.has_address;
		end(boot, RUN_FAILED,
		    arena_printf(boot->arena, "%s%s", boot->run->symptoms.items[0].message,
		                 has_address ? "; it uses the address that DHCP gave it" : ""));
		return;
	}
	add_symptom(boot, "hang",
	            (struct place){
			    .path = RUN_CONSOLE_PATH,
			    .line = boot->console.line_count,
			    .text = arena_strdup(boot->arena, console_last(&boot->console)),
		    });
	double now = boot_seconds(boot);
	const struct boot_progress *progress = &boot->progress;
	bool repeats = progress->moved - progress->fresh > now - progress->moved;
	const char *jobs = jobs_of(boot);
	end(boot, RUN_HUNG,
	    arena_printf(boot->arena, "%s%s%s for %.0f seconds%s", jobs, *jobs ? ", and " : "",
	                 repeats ? "the console said nothing new" : "nothing came",
	                 now - (repeats ? progress->fresh : progress->moved), after_what(boot)));
}

/*
 * Of a network that this machine cannot offer a guest cannot be blamed to have seen nothing; and one that was
 * answered in the end had only asked before its network was up, as agents do.
 */
static void drop_what_the_machine_lacks(struct boot *boot)
{
	const struct network_seen *seen = &boot->network.seen;
	const struct {
		const char *name;
		bool was_answered;
	} asked[] = {
		{ "no-metadata-server", seen->metadata_requests > 0 },
		{ "time-not-synchronised", seen->time_requests > 0 },
	};
	struct run *run = boot->run;
	size_t kept = 0;
	for (size_t i = 0; i < run->symptoms.count; i++) {
		bool excused = false;
		for (size_t n = 0; n < ARRAY_SIZE(asked); n++)
			excused = excused || (str_equal(run->symptoms.items[i].name, asked[n].name) &&
			                      (boot->network.tap < 0 || asked[n].was_answered));
		if (!excused)
			run->symptoms.items[kept++] = run->symptoms.items[i];
	}
	run->symptoms.count = kept;
}

void boot_look_for_services(struct boot *boot)
{
	struct run *run = boot->run;
	if (run->end != RUN_CAME_UP)
		return;
	bool asked = !run->steps[RUN_LOGIN].reached && boot->request->prove && !boot->loop.stopped &&
	             !run->answers && !boot->has_inside;
	run->answers = run->answers || boot->network.conversation ||
	               (asked && boot->network.tap >= 0 && network_answers(&boot->network, ANSWER_SECONDS));
	if (asked && !run->answers)
		run->ended =
			arena_printf(boot->arena, "%s, and nothing that answers on its network", run->ended);
}

static void judge_outcome(struct boot *boot)
{
	switch (boot->outcome) {
	case BOOT_LOGIN:
		end(boot, RUN_CAME_UP,
		    arena_printf(boot->arena, "a login prompt stands on %s", console_port(boot)));
		break;
	case BOOT_QUIET:
		end(boot, RUN_CAME_UP,
		    boot->has_inside
		            ? what_it_told(boot)
		            : arena_printf(boot->arena,
		                           "init runs and has no more to do, without a login prompt on %s",
		                           console_port(boot)));
		break;
	case BOOT_REPORTED:
		end(boot, RUN_CAME_UP, what_it_told(boot));
		break;
	case BOOT_SYMPTOM:
		judge_failed(boot);
		break;
	case BOOT_STOPPED:
		judge_stopped(boot);
		break;
	case BOOT_HUNG:
		judge_hung(boot);
		break;
	default:
		end(boot, RUN_INTERRUPTED,
		    arena_printf(boot->arena, "signal %d (%s) came", interrupt_signal(),
		                 strsignal(interrupt_signal())));
	}
}

/* A kernel, or an init that dies of it, can be in want of what the processor lacks: none of that is the
 * image's. */
static void excuse_processor(struct boot *boot)
{
	struct run *run = boot->run;
	if (run->end != RUN_FAILED || !boot->request->qemu->no_cx16)
		return;
	for (size_t i = 0; i < run->symptoms.count; i++) {
		const char *name = run->symptoms.items[i].name;
		if (!str_equal(name, "kernel-panic") && !str_equal(name, "kernel-oops"))
			continue;
		end(boot, RUN_MACHINE,
		    arena_printf(boot->arena,
		                 "%s, which may be for the processor that this QEMU gives it, one without "
		                 "cmpxchg16b: a newer QEMU tells",
		                 run->ended));
		run->symptoms.count = 0;
		return;
	}
}

void boot_judge(struct boot *boot)
{
	drop_what_the_machine_lacks(boot);
	judge_outcome(boot);
	excuse_processor(boot);
	if (boot->restarts > 0 && boot->run->end == RUN_CAME_UP)
		boot->run->ended = arena_printf(boot->arena, "%s, after the guest restarted itself once",
		                                boot->run->ended);
	if (boot->run->end == RUN_CAME_UP)
		symptoms_came_up(boot->run);
	else
		console_recent(&boot->console, boot->run);
}
