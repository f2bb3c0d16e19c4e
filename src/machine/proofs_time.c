// Does a guest not do something, or does it not come to it? A host that is busy may keep it waiting for as
// long as it likes: what is counted is what the guest was given.
#include "machine/proofs_private.h"

#define LEAST_SECONDS 8.0  /* on an idle host a guest without KVM needs some tenths of one */
#define BUSY_SECONDS  10.0 /* of processor time */
#define IDLE_SHARE    0.12 /* of a processor: four times what an idle guest takes without KVM */
#define STARVED_SHARE 0.1  /* of the wall clock: a host with other things to do now and then */

struct guest_time guest_time_now(const struct machine *machine)
{
	struct guest_time now = { .seconds = seconds_now(), .starved = -1, .said = machine->console->bytes };
	if (!machine->process)
		return now;
	now.cpu = process_cpu_seconds(machine->process);
	now.starved = process_starved_seconds(machine->process);
	return now;
}

bool guest_had_time(const struct guest_time *from, const struct guest_time *to)
{
	double wall = to->seconds - from->seconds, cpu = to->cpu - from->cpu;
	if (wall < LEAST_SECONDS || from->cpu < 0 || to->cpu < 0)
		return false;
	if (cpu >= BUSY_SECONDS)
		return true;
	bool was_free =
		from->starved >= 0 && to->starved >= 0 && to->starved - from->starved <= wall * STARVED_SHARE;
	return was_free && cpu <= wall * IDLE_SHARE && to->said == from->said;
}
