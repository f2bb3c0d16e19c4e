// virtio-net: who drives it, and the offloads that frames show.
//
// That a driver agrees on a feature shows what it can do; a frame that relies on it shows that it does. Both
// are asked for: a feature that no frame shows is unknown.
#include <string.h>

#include "machine/inside.h"
#include "machine/proofs_private.h"

#define DEVICE       "net0"
#define QUEUE_TO     0 /* virtio 1.2, section 5.1.2: receiveq1, transmitq1 */
#define QUEUE_FROM   1
#define TALK_SECONDS 30 /* a service may come up some time behind the login prompt */
#define TRY_SECONDS  4

/* Our own init listens before it says that it is up; to wait in vain for each kind of frame takes so long. */
#define INIT_SECONDS 16

/* So many frames with data and none that leaves its checksum to the device: the guest does not do so. */
#define FRAMES_THAT_DECIDE 8

/* Is `name` one of the list "A, B, C"? */
static bool has_name(const char *list, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = list; *at; at += strcspn(at, ", "), at += strspn(at, ", "))
		if (strcspn(at, ", ") == length && strncmp(at, name, length) == 0)
			return true;
	return false;
}

/*
 * Firmware has drivers for the device: OVMF's agrees on MAC and STATUS, iPXE's on MTU as well. What they
 * never ask for is the mark of an operating system.
 */
static bool is_of_a_system(const struct virtio_view *view)
{
	static const char *const marks[] = { "CSUM",      "GUEST_CSUM", "HOST_TSO4", "GUEST_TSO4",
		                             "MRG_RXBUF", "CTRL_VQ",    "CTRL_RX",   "GUEST_ANNOUNCE" };
	for (size_t i = 0; view->known && i < ARRAY_SIZE(marks); i++)
		if (has_name(view->names, marks[i]))
			return true;
	return false;
}

/* What the rings stand at; not known is 0, which a ring that was never used has as well. */
struct rings {
	uint64_t to, from, line;
};

static struct rings read_rings(struct machine *machine)
{
	struct rings rings = { 0 };
	if (!virtio_used(machine, DEVICE, QUEUE_TO, &rings.to, &rings.line))
		rings.to = 0;
	if (!virtio_used(machine, DEVICE, QUEUE_FROM, &rings.from, &rings.line))
		rings.from = 0;
	return rings;
}

/* Has the guest talked to us, once for all proofs of the device. */
static void talk(struct machine *machine, double seconds)
{
	struct network *network = machine->network;
	if (seconds > INIT_SECONDS && console_find(machine->console, 0, INSIDE_INIT_UP, NULL))
		seconds = INIT_SECONDS;
	if (network->tap >= 0 && !network->conversation && !network->silence)
		network_converse(network, seconds);
}

static void add_features(struct machine *machine, const struct virtio_view *view, struct proof *out)
{
	proof_evidence(machine, out, RUN_QMP_PATH, view->line, "virtio-net: %s",
	               *view->names ? view->names : "no features agreed on");
}

static void add_frame(struct machine *machine, const struct network_sample *sample, struct proof *out)
{
	if (sample->frame)
		proof_evidence(machine, out, RUN_FRAMES_PATH, sample->frame, "%s", sample->what);
}

void prove_net_driven(struct machine *machine, struct proof *out)
{
	struct virtio_view view;
	virtio_view(machine, DEVICE, &view);
	if (!view.known) {
		proof_set(machine, out, ANSWER_UNKNOWN, "%s", view.unknown);
		return;
	}
	bool system = is_of_a_system(&view);
	struct rings before = read_rings(machine);
	talk(machine, system ? TALK_SECONDS : TRY_SECONDS);
	if (machine->network->tap < 0)
		proof_wait(machine, 1); /* a guest that looks for a network asks again and again */
	if (!system) {
		/* A slow guest loads its driver behind the login prompt. */
		struct virtio_view then;
		virtio_view(machine, DEVICE, &then);
		view = then.known ? then : view;
		system = is_of_a_system(&view);
	}
	struct rings after = read_rings(machine);
	bool moved = after.to != before.to || after.from != before.from;
	bool frames = machine->network->tap < 0 || machine->network->seen.frames_out > 0;
	out->found = view.names;
	add_features(machine, &view, out);
	proof_evidence(
		machine, out, RUN_QMP_PATH, after.line,
		"used index of the ring to the guest: %llu, then %llu; from the guest: %llu, then %llu",
		(unsigned long long)before.to, (unsigned long long)after.to, (unsigned long long)before.from,
		(unsigned long long)after.from);
	/*
	 * A driver resets the device before it agrees: what its rings have done is its own. Firmware that
	 * looks for something to boot over the network moves them, too, before a kernel runs; and what it
	 * left behind takes frames, but sends none.
	 */
	bool kernel = machine->run->steps[RUN_KERNEL].reached || userland_ran(machine);
	bool sends = kernel && after.from != before.from;
	if (frames && (sends || (system && (moved || after.from > 0))))
		proof_set(machine, out, ANSWER_YES, "the kernel drives the network device: %s",
		          moved ? "its rings move"
		                : "buffers went through its rings since the driver took it");
	else if (system)
		proof_set(
			machine, out, ANSWER_UNKNOWN,
			"a driver has taken the network device, and the guest has sent nothing through it%s",
			moved ? "" : ": its rings stand still, as of an interface that is not up");
	else if (userland_ran(machine))
		proof_set(machine, out, ANSWER_NO,
		          "programs of the guest run, and no driver has taken the network device");
	else
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "the boot did not come as far as a driver for the network device");
}

/*
 * Has a system's driver agreed on all of `wanted` ("A, B"), and is there a network that shows frames? Else
 * *out says what is known.
 */
static bool has_agreed(struct machine *machine, const char *const *wanted, struct proof *out)
{
	struct virtio_view view;
	const struct network *network = machine->network;
	virtio_view(machine, DEVICE, &view);
	if (!view.known) {
		proof_set(machine, out, ANSWER_UNKNOWN, "%s", view.unknown);
		return false;
	}
	if (network->tap < 0) {
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "offloads show only on a network of our own, which cannot be had: %s",
		          network->reason ? network->reason : "there is no tap");
		return false;
	}
	out->found = view.names;
	add_features(machine, &view, out);
	if (!is_of_a_system(&view) && machine->run->proofs[PROOF_NET_DRIVEN].shown != ANSWER_YES) {
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "no driver of the guest has taken the network device");
		return false;
	}
	for (; *wanted; wanted++)
		if (view.offered && !has_name(view.offered, *wanted)) {
			proof_set(machine, out, ANSWER_UNKNOWN,
			          "this machine's network device does not offer %s", *wanted);
			return false;
		} else if (!has_name(view.names, *wanted)) {
			proof_set(machine, out, ANSWER_NO,
			          "the driver of the network device does not agree on %s, which the device "
			          "offers",
			          *wanted);
			return false;
		}
	talk(machine, TALK_SECONDS);
	return true;
}

/* There was no frame of a kind: because nothing was said, or in spite of it. */
static void not_seen(struct machine *machine, const char *what, struct proof *out)
{
	const struct network *network = machine->network;
	if (network->silence)
		proof_set(machine, out, ANSWER_UNKNOWN, "%s", network->silence);
	else
		proof_set(machine, out, ANSWER_UNKNOWN,
		          "the driver agrees on it, but of %llu bytes of TCP from the guest and %llu to it "
		          "nothing %s",
		          (unsigned long long)network->seen.tcp_data_out,
		          (unsigned long long)network->seen.tcp_data_in, what);
}

/* Does the guest fill in all checksums itself, though its driver need not? Linux never does both. */
static bool fills_checksums(const struct network_seen *seen)
{
	return seen->checksum_out == 0 && seen->tcp_frames_out >= FRAMES_THAT_DECIDE;
}

void prove_net_checksum(struct machine *machine, struct proof *out)
{
	static const char *const wanted[] = { "CSUM", "GUEST_CSUM", NULL };
	const struct network_seen *seen = &machine->network->seen;
	if (!has_agreed(machine, wanted, out))
		return;
	out->found =
		arena_printf(machine->arena, "CSUM, GUEST_CSUM; %llu frames from the guest, %llu to it",
	                     (unsigned long long)seen->checksum_out, (unsigned long long)seen->checksum_in);
	add_frame(machine, &seen->first_checksum_out, out);
	add_frame(machine, &seen->first_checksum_in, out);
	if (seen->checksum_out && seen->checksum_in)
		proof_set(machine, out, ANSWER_YES,
		          "frames go both ways with their checksum left to the device");
	else if (fills_checksums(seen))
		proof_set(machine, out, ANSWER_NO,
		          "checksum offload is switched off in the guest: none of %llu frames with TCP data "
		          "leaves its checksum to the device",
		          (unsigned long long)seen->tcp_frames_out);
	else
		not_seen(machine, "left its checksum to the device", out);
}

void prove_net_tso4(struct machine *machine, struct proof *out)
{
	static const char *const wanted[] = { "HOST_TSO4", NULL };
	const struct network_seen *seen = &machine->network->seen;
	if (!has_agreed(machine, wanted, out))
		return;
	out->found =
		arena_printf(machine->arena, "HOST_TSO4; %llu frames", (unsigned long long)seen->tso_out);
	add_frame(machine, &seen->first_tso_out, out);
	if (seen->tso_out)
		proof_set(machine, out, ANSWER_YES, "the guest leaves it to the device to cut TCP segments");
	else if (fills_checksums(seen))
		/* Linux switches segmentation off with the checksums, which it needs. */
		proof_set(
			machine, out, ANSWER_NO,
			"checksum offload is switched off in the guest, and TSO with it: none of %llu frames "
			"with TCP data is larger than a segment",
			(unsigned long long)seen->tcp_frames_out);
	else
		not_seen(machine, "left the guest in a frame larger than a segment", out);
}

void prove_net_gro4(struct machine *machine, struct proof *out)
{
	static const char *const wanted[] = { "GUEST_TSO4", NULL };
	const struct network_seen *seen = &machine->network->seen;
	if (!has_agreed(machine, wanted, out))
		return;
	out->found =
		arena_printf(machine->arena, "GUEST_TSO4; %llu frames", (unsigned long long)seen->tso_in);
	add_frame(machine, &seen->first_tso_in, out);
	if (seen->tso_in)
		proof_set(machine, out, ANSWER_YES, "the guest takes several TCP segments in one frame");
	else
		not_seen(machine, "was acknowledged that came in a frame larger than a segment", out);
}
