// The disk controller, and a second disk that is plugged in and taken away while the guest runs.
//
// SeaBIOS and OVMF drive virtio-scsi themselves, up to DRIVER_OK, and agree on no feature; the driver of an
// operating system agrees on some, and resets the device first, so that what its rings have done since is its
// own.
#include <string.h>

#include "machine/arguments.h"
#include "machine/proofs_private.h"

#define SPARE_DEVICE  "spare"
#define SPARE_TARGET  2
#define EVENT_QUEUE   1
#define REQUEST_QUEUE 2 /* the first: behind control and event */

#define STEP_SECONDS    0.1
#define AT_MOST_SECONDS 40.0 /* then a guest that had not the time it needs is left alone */

/*
 * Has a driver of an operating system taken it? Else *out says what is known; `undriven` when programs run
 * all the same.
 */
static bool is_driven(struct machine *machine, struct virtio_view *view, enum answer undriven,
                      struct proof *out)
{
	virtio_view(machine, MACHINE_SCSI, view);
	if (!view->known) {
		proof_set(machine, out, ANSWER_UNKNOWN, "%s", view->unknown);
		return false;
	}
	if (view->features > 0)
		return true;
	proof_evidence(machine, out, RUN_QMP_PATH, view->line, "virtio-scsi: no features agreed on");
	if (userland_ran(machine))
		proof_set(machine, out, undriven,
		          "programs of the guest run, and no driver has taken the disk controller");
	else
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "the boot did not come as far as a driver for the disk controller");
	return false;
}

void prove_scsi_driven(struct machine *machine, struct proof *out)
{
	struct virtio_view view;
	uint64_t used, line;
	if (!is_driven(machine, &view, ANSWER_NO, out))
		return;
	out->found = view.names;
	proof_evidence(machine, out, RUN_QMP_PATH, view.line, "virtio-scsi: %s", view.names);
	if (!virtio_used(machine, MACHINE_SCSI, REQUEST_QUEUE, &used, &line) || used == 0) {
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "a driver has taken the disk controller, and no request of it was seen");
		return;
	}
	proof_evidence(machine, out, RUN_QMP_PATH, line, "request queue: used index %llu",
	               (unsigned long long)used);
	proof_set(machine, out, ANSWER_YES,
	          "the kernel drives the disk controller: its requests are answered");
}

void prove_scsi_one_queue(struct machine *machine, struct proof *out)
{
	struct virtio_view view;
	uint64_t used, line;
	if (!is_driven(machine, &view, ANSWER_UNKNOWN, out))
		return;
	uint64_t requests = view.queues < REQUEST_QUEUE ? 0 : view.queues - REQUEST_QUEUE;
	out->found = arena_printf(machine->arena, "%llu request queue%s", (unsigned long long)requests,
	                          requests == 1 ? "" : "s");
	proof_evidence(machine, out, RUN_QMP_PATH, view.line,
	               "virtio-scsi: %llu queues: control, event, and %llu for requests",
	               (unsigned long long)view.queues, (unsigned long long)requests);
	if (requests != 1) {
		proof_set(machine, out, ANSWER_UNKNOWN, "this machine's controller has more queues than one");
	} else if (!virtio_used(machine, MACHINE_SCSI, REQUEST_QUEUE, &used, &line) || used == 0) {
		proof_set(machine, out, ANSWER_UNKNOWN, "no request was seen in the controller's one queue");
	} else {
		proof_evidence(machine, out, RUN_QMP_PATH, line, "request queue: used index %llu",
		               (unsigned long long)used);
		proof_set(machine, out, ANSWER_YES,
		          "the kernel works with the controller's one request queue");
	}
}

/* What hangs on the controller: "child[0]": "link<scsi-hd>" */
static bool count_devices(struct machine *machine, size_t *disks, size_t *others, uint64_t *line)
{
	struct error error;
	json_t *list = NULL, *item;
	size_t index;
	*disks = *others = 0;
	if (!qmp_ask(machine->qmp, "qom-list",
	             json_pack("{s:s}", "path",
	                       "/machine/peripheral/" MACHINE_SCSI "/virtio-backend/" MACHINE_SCSI ".0"),
	             &list, &error))
		return false;
	*line = machine->qmp->reply_line;
	json_array_foreach(list, index, item)
	{
		const char *name = json_string_value(json_object_get(item, "name"));
		if (!name || !str_starts(name, "child["))
			continue;
		if (str_equal(json_string_value(json_object_get(item, "type")), "link<scsi-hd>"))
			++*disks;
		else
			++*others;
	}
	json_decref(list);
	return true;
}

/* A driver of the controller alone asks what hangs there, and takes no disk for one. */
static bool has_disk_driver(const struct machine *machine)
{
	const struct proof *proofs = machine->run->proofs;
	return proofs[PROOF_ROOT].shown == ANSWER_YES || proofs[PROOF_SCSI_HOTPLUG].shown == ANSWER_YES;
}

void prove_scsi_disks_only(struct machine *machine, struct proof *out)
{
	struct virtio_view view;
	size_t disks, others;
	uint64_t line;
	if (!is_driven(machine, &view, ANSWER_UNKNOWN, out))
		return;
	if (!count_devices(machine, &disks, &others, &line)) {
		proof_set(machine, out, ANSWER_UNKNOWN, "QEMU did not tell what hangs on the controller");
		return;
	}
	out->found =
		arena_printf(machine->arena, "%zu disk%s, %zu others", disks, disks == 1 ? "" : "s", others);
	proof_evidence(machine, out, RUN_QMP_PATH, line, "%s", out->found);
	if (others > 0 || disks == 0)
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "this machine's controller has no disk, or more than disks");
	else if (!has_disk_driver(machine))
		proof_set(machine, out, ANSWER_UNKNOWN, "no disk driver of the kernel was seen at work");
	else
		proof_set(machine, out, ANSWER_YES, "the kernel runs with a controller that has disks alone");
}

/* Is it the name that block devices' users go by, an id or a path? */
static bool is_spare(const char *device)
{
	return str_equal(device, SPARE_DEVICE) || (device && str_ends(device, "/" SPARE_DEVICE));
}

/* READs of the spare disk, as QEMU counts them; false: it is not there. */
static bool count_reads(struct machine *machine, uint64_t *reads, uint64_t *line)
{
	struct error error;
	json_t *list = NULL, *item;
	size_t index;
	bool found = false;
	if (!qmp_ask(machine->qmp, "query-blockstats", NULL, &list, &error))
		return false;
	*line = machine->qmp->reply_line;
	json_array_foreach(list, index, item)
	{
		const char *device = json_string_value(json_object_get(item, "qdev"));
		const json_t *count = json_object_get(json_object_get(item, "stats"), "rd_operations");
		if (!is_spare(device) || !json_is_integer(count))
			continue;
		*reads = (uint64_t)json_integer_value(count);
		found = true;
	}
	json_decref(list);
	return found;
}

static bool plug(struct machine *machine, struct error *error)
{
	json_t *device = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:s, s:s, s:s, s:s}", "driver",
	                           "scsi-hd", "id", SPARE_DEVICE, "bus", MACHINE_SCSI ".0", "drive",
	                           MACHINE_SPARE_NODE, "scsi-id", SPARE_TARGET, "logical_block_size", 512,
	                           "physical_block_size", 4096, "vendor", "Google", "product",
	                           "PersistentDisk", "ver", "1", "serial", "persistent-disk-1");
	struct proof_state *state = proof_state(machine);
	/* What the machine's own disk is, as far as this QEMU has it. */
	if (machine->request && machine->request->qemu->has.scsi_version)
		json_object_set_new(device, "scsi_version", json_integer(6));
	state->plugged_from = machine->console->lines.count;
	state->was_plugged = qmp_ask(machine->qmp, "device_add", device, NULL, error);
	return state->was_plugged;
}

/* How far the guest came with what it was told on the event queue. */
struct progress {
	uint64_t offered, reads, commands;
	bool has_offered;
};

static struct progress look(struct machine *machine, uint64_t *offered_line, uint64_t *reads_line)
{
	struct progress now = { .commands = proof_state(machine)->seen.commands };
	now.has_offered = virtio_offered(machine, MACHINE_SCSI, EVENT_QUEUE, &now.offered, offered_line);
	if (!count_reads(machine, &now.reads, reads_line))
		now.reads = 0;
	if (now.reads == 0 && proof_state(machine)->seen.read_line > 0) {
		now.reads = 1;
		*reads_line = proof_state(machine)->seen.read_line;
	}
	return now;
}

static bool is_same(const struct progress *a, const struct progress *b)
{
	return a->offered == b->offered && a->reads == b->reads && a->commands == b->commands;
}

/* Both bits are asked for; not every QEMU has the second. */
static bool offers_change(const struct machine *machine)
{
	return !machine->request || machine->request->qemu->has.param_change;
}

static void judge_plugged(struct machine *machine, const struct progress *before, const struct progress *now,
                          const struct virtio_view *view, uint64_t offered_line, uint64_t reads_line,
                          bool had_time, struct proof *out)
{
	bool taken = before->has_offered && now->has_offered && now->offered != before->offered;
	proof_evidence(machine, out, RUN_QMP_PATH, view->line, "virtio-scsi: %s", view->names);
	if (taken)
		proof_evidence(machine, out, RUN_QMP_PATH, offered_line,
		               "event queue: %llu buffers, before %llu", (unsigned long long)now->offered,
		               (unsigned long long)before->offered);
	proof_evidence(machine, out, RUN_QMP_PATH, reads_line, "reads of the disk that was plugged in: %llu",
	               (unsigned long long)now->reads);
	out->found = arena_printf(machine->arena, "%s; %llu read%s", view->names,
	                          (unsigned long long)now->reads, now->reads == 1 ? "" : "s");
	if (now->reads > 0 && !strstr(view->names, "HOTPLUG"))
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "the disk was read, though the driver did not agree on being told of new disks");
	else if (now->reads > 0 && offers_change(machine) && !strstr(view->names, "CHANGE"))
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "the disk was read, though the driver did not agree on being told of disks that "
		          "change");
	else if (now->reads > 0)
		proof_set(machine, out, ANSWER_YES, "a disk was plugged in, and the kernel read it");
	else if (!had_time)
		proof_set(
			machine, out, ANSWER_UNKNOWN,
			"a disk was plugged in, and the guest had too little processor time to show what it "
			"does with it");
	else if (taken)
		proof_set(machine, out, ANSWER_NO,
		          "a disk was plugged in; the kernel took note of it, and no disk driver read it");
	else
		proof_set(machine, out, ANSWER_NO,
		          "a disk was plugged in, and the kernel took no note of it");
}

void prove_scsi_hotplug(struct machine *machine, struct proof *out)
{
	struct error error;
	struct virtio_view view;
	uint64_t offered_line = 0, reads_line = 0;
	if (!is_driven(machine, &view, ANSWER_NO, out))
		return;
	struct progress before = look(machine, &offered_line, &reads_line), last = before, now;
	struct scsi_trace *trace = scsi_trace_begin(machine, SPARE_TARGET, &proof_state(machine)->seen);
	bool alive = plug(machine, &error);
	struct guest_time moved = guest_time_now(machine), time = moved;
	double end = seconds_now() + AT_MOST_SECONDS;
	while (alive && last.reads == 0 && !guest_had_time(&moved, &time) && seconds_now() < end) {
		alive = proof_wait(machine, STEP_SECONDS);
		now = look(machine, &offered_line, &reads_line);
		time = guest_time_now(machine);
		if (!is_same(&now, &last))
			moved = time;
		last = now;
	}
	/* The commands in front of the READ came with it; those behind it are wanted by none. */
	if (trace)
		scsi_trace_end(trace);
	if (!proof_state(machine)->was_plugged)
		proof_set(machine, out, ANSWER_UNKNOWN, "no disk could be plugged in: %s", error.message);
	else if (!alive)
		proof_set(machine, out, ANSWER_UNKNOWN, "the machine was gone before the disk was noticed");
	else
		judge_plugged(machine, &before, &last, &view, offered_line, reads_line,
		              guest_had_time(&moved, &time), out);
}

/* What is asked of the commands is known only where the trace was on and a disk driver at work. */
static bool has_commands(struct machine *machine, struct proof *out)
{
	const struct scsi_seen *seen = &proof_state(machine)->seen;
	if (!proof_state(machine)->was_plugged)
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "no disk was plugged in whose commands could be looked at");
	else if (!seen->traced)
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "this QEMU does not show the SCSI commands of a guest");
	else if (seen->commands == 0)
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "no SCSI command to the disk that was plugged in was seen");
	return seen->traced && seen->commands > 0;
}

static void add_command(struct machine *machine, struct proof *out, uint64_t line, const char *name)
{
	if (line > 0)
		proof_evidence(machine, out, RUN_QMP_PATH, line, "%s", name);
}

void prove_scsi_command_sets(struct machine *machine, struct proof *out)
{
	const struct scsi_seen *seen = &proof_state(machine)->seen;
	if (!has_commands(machine, out))
		return;
	add_command(machine, out, seen->inquiry_line, "INQUIRY");
	add_command(machine, out, seen->pages_line, "INQUIRY of vital product data");
	add_command(machine, out, seen->block_page_line, "INQUIRY of block device pages");
	add_command(machine, out, seen->capacity16_line, "READ CAPACITY(16)");
	add_command(machine, out, seen->read_line, "READ");
	out->found = arena_printf(machine->arena, "%llu commands; pages %s",
	                          (unsigned long long)seen->commands, seen->pages ? seen->pages : "none");
	if (seen->inquiry_line && seen->pages_line && seen->capacity16_line && seen->read_line)
		proof_set(machine, out, ANSWER_YES,
		          "the disk driver asked what SPC-4 and SBC-3 define, and read the disk");
	else
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "not all that a disk driver asks by SPC-4 and SBC-3 was asked of the disk that was "
		          "plugged in");
}

/* "sd 0:0:1:0: [sda] 131072 512-byte logical blocks: (67.1 MB/64.0 MiB)", and the physical ones behind it */
static bool sectors_by_line(struct machine *machine, struct proof *out)
{
	struct place logical, physical;
	if (!kernel_line(machine, 0, " 512-byte logical blocks: ", false, &logical) ||
	    !kernel_line(machine, 0, "] 4096-byte physical blocks", false, &physical))
		return false;
	proof_evidence_place(machine, out, &logical);
	proof_evidence_place(machine, out, &physical);
	out->found = "512 logical, 4096 physical";
	proof_set(machine, out, ANSWER_YES, "the kernel knows the disk's sectors of 512 and 4096 bytes");
	return true;
}

void prove_scsi_sectors(struct machine *machine, struct proof *out)
{
	const struct scsi_seen *seen = &proof_state(machine)->seen;
	/* Lines are the guest's own word: none of them is about a disk of a controller that nobody drives. */
	bool driven = machine->run->proofs[PROOF_SCSI_DRIVEN].shown != ANSWER_NO;
	if ((driven && sectors_by_line(machine, out)) || !has_commands(machine, out))
		return;
	add_command(machine, out, seen->capacity16_line, "READ CAPACITY(16)");
	add_command(machine, out, seen->capacity10_line, "READ CAPACITY(10)");
	add_command(machine, out, seen->read_line, "READ");
	if (seen->capacity16_line && seen->read_line)
		proof_set(machine, out, ANSWER_YES,
		          "the disk driver asked for the sizes of its sectors, and read the disk");
	else
		proof_set(machine, out, ANSWER_UNKNOWN, "no driver was seen to ask for the sizes of sectors");
}

/* The kernel's disk driver says farewell. */
static bool farewell(struct machine *machine, struct proof *out)
{
	struct place place;
	if (!kernel_line(machine, proof_state(machine)->plugged_from, "] Synchronizing SCSI cache", false,
	                 &place))
		return false;
	proof_evidence_place(machine, out, &place);
	return true;
}

void prove_scsi_hotunplug(struct machine *machine, struct proof *out)
{
	struct error error;
	uint64_t before, now, line = 0;
	if (machine->run->proofs[PROOF_SCSI_HOTPLUG].shown != ANSWER_YES) {
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "there is no disk that the kernel has taken: none to take away");
		return;
	}
	bool counted = virtio_offered(machine, MACHINE_SCSI, EVENT_QUEUE, &before, &line);
	if (!qmp_ask(machine->qmp, "device_del", json_pack("{s:s}", "id", SPARE_DEVICE), NULL, &error)) {
		proof_set(machine, out, ANSWER_UNKNOWN, "the disk could not be taken away: %s",
		          error.message);
		return;
	}
	now = before;
	bool noticed = false;
	struct guest_time begun = guest_time_now(machine), time = begun;
	double end = seconds_now() + AT_MOST_SECONDS;
	while (!noticed && !guest_had_time(&begun, &time) && seconds_now() < end) {
		if (!proof_wait(machine, STEP_SECONDS))
			break;
		time = guest_time_now(machine);
		counted = counted && virtio_offered(machine, MACHINE_SCSI, EVENT_QUEUE, &now, &line);
		noticed = counted ? now != before : farewell(machine, out);
	}
	if (counted && noticed)
		proof_evidence(machine, out, RUN_QMP_PATH, line, "event queue: %llu buffers, before %llu",
		               (unsigned long long)now, (unsigned long long)before);
	if (noticed)
		proof_set(machine, out, ANSWER_YES, "a disk was taken away, and the kernel took note of it");
	else if (machine->qmp->socket < 0 || machine->loop->stopped)
		proof_set(machine, out, ANSWER_UNKNOWN, "the machine was gone before the disk was missed");
	else if (counted && guest_had_time(&begun, &time))
		proof_set(machine, out, ANSWER_NO,
		          "a disk was taken away, and the kernel took no note of it");
	else if (counted)
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "a disk was taken away, and the guest had too little processor time to take note "
		          "of it");
	else
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "this QEMU does not show whether a guest takes note of a disk that is taken away");
}
