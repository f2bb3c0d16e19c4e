// A guest that restarts itself: first boots do, and come up in the second.
//
// QEMU halts at the reset, so that what the console said before it is read, and judged, before anything else
// runs: a reset that a panic brought is the end of the boot.
#include "machine/boot.h"

/* QEMU resets its devices in the turn of its loop behind the command. */
#define RESET_SECONDS 10

static bool set_action(struct boot *boot, const char *what, const char *action)
{
	struct error error = { 0 };
	return qmp_ask(&boot->qmp, "set-action", json_pack("{s:s}", what, action), NULL, &error);
}

void boot_halt_resets(struct boot *boot, bool halt)
{
	if (halt == boot->may_restart || boot->loop.stopped || !qmp_has(&boot->qmp, "set-action"))
		return;
	boot->may_restart = set_action(boot, "shutdown", halt ? "pause" : "poweroff") && halt;
}

static bool was_reset(void *context)
{
	const struct boot *boot = context;
	return qmp_saw(&boot->qmp, boot->events_read, "RESET", NULL);
}

/*
 * The machine as it was when it was switched on, but for its disk. SeaBIOS, which finds itself in memory,
 * resets the machine once more: until a loader or a kernel speaks that is left to it.
 */
static bool reset(struct boot *boot)
{
	struct error error = { 0 };
	return set_action(boot, "reboot", "reset") &&
	       qmp_ask(&boot->qmp, "system_reset", NULL, NULL, &error) &&
	       loop_until(&boot->loop, RESET_SECONDS, was_reset, boot) && was_reset(boot) &&
	       qmp_ask(&boot->qmp, "cont", NULL, NULL, &error);
}

void boot_forbid_resets(struct boot *boot)
{
	if (boot->restarts > 0 && !boot->loop.stopped)
		(void)set_action(boot, "reboot", "shutdown");
}

bool boot_restart(struct boot *boot)
{
	const struct qmp_event *event = boot_stop_event(boot);
	if (!boot->may_restart || !event || !str_equal(event->detail, "guest-reset"))
		return false;
	boot_drain(boot);
	if (boot->console.failed || !boot->run->steps[RUN_KERNEL].reached)
		return false;
	/* Once: what restarts again does not come up. */
	boot_halt_resets(boot, false);
	size_t before = boot->events_read;
	boot->events_read = boot->qmp.event_count;
	/* Before it goes on: what comes from there on is of the second boot. */
	boot->restarts++;
	boot->begun = false;
	console_restart(&boot->console);
	if (boot->has_inside && boot->inside.state == INSIDE_ASKED)
		boot->inside.state = INSIDE_WAITING;
	if (reset(boot))
		return true;
	boot->events_read = before;
	return false;
}
