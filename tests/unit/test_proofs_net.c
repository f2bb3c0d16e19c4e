// The proofs of the network device: what a QEMU that is played says of its features and rings, with what
// frames showed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <string.h>

#include "fake_qemu.h"
#include "machine/proofs.h"

#define STATUS "{\"name\": \"x-query-virtio-status\"}, {\"name\": \"x-query-virtio-queue-status\"}"

static struct bench {
	struct fake_qemu fake;
	struct qmp qmp;
	struct arena arena;
	struct console console;
	struct network network;
	struct run run;
	struct machine machine;
	struct text script;
	unsigned next_id;
} bench;

static void add_reply(const char *value)
{
	text_printf(&bench.script, "{\"return\": %s, \"id\": %u}\n", value, bench.next_id++);
	text_add_char(&bench.script, '\0');
}

static void add_names(struct text *value, const char *whose, const char *names)
{
	text_printf(value, ", \"%s-features\": {\"transports\": [], \"dev-features\": [", whose);
	for (const char *at = names; *at; at += strcspn(at, ", "), at += strspn(at, ", "))
		text_printf(value, "%s\"VIRTIO_NET_F_%.*s: words\"", at == names ? "" : ", ",
		            (int)strcspn(at, ", "), at);
	text_add(value, "]}");
}

/* What the guest agreed on, of what the device offers (NULL: QEMU does not tell): "CSUM, MAC". */
static void add_agreed(const char *names, const char *offered)
{
	struct text value = { 0 };
	text_add(&value, "{\"num-vqs\": 3");
	add_names(&value, "guest", names);
	if (offered)
		add_names(&value, "host", offered);
	text_add(&value, "}");
	add_reply(text_get(&value));
	text_free(&value);
}

static void add_features(const char *names)
{
	add_agreed(names, NULL);
}

static void add_ring(unsigned used)
{
	char value[40];
	snprintf(value, sizeof(value), "{\"used-idx\": %u}", used);
	add_reply(value);
}

static void begin(void)
{
	bench = (struct bench){ .next_id = 1 };
	text_add(&bench.script, "{\"QMP\": {\"version\": {}}}\n");
	text_add_char(&bench.script, '\0');
	add_reply("{}");
	add_reply("[" STATUS "]");
	bench.network.tap = 0; /* there is one; with no `own` nothing is said on it */
	console_open(&bench.console, &bench.run, &bench.arena);
}

/* A guest that has spoken: what a sound driver's frames show. */
static void see_offloads(void)
{
	bench.network.conversation = "SSH on TCP port 22";
	bench.network.seen = (struct network_seen){
		.frames_out = 20,
		.frames_in = 20,
		.checksum_out = 10,
		.checksum_in = 10,
		.tso_out = 2,
		.tso_in = 3,
		.tcp_data_out = 2000,
		.tcp_frames_out = 12,
		.first_checksum_out = { 3, "out" },
		.first_checksum_in = { 4, "in" },
		.first_tso_out = { 5, "large out" },
		.first_tso_in = { 6, "large in" },
	};
}

static struct proof *prove(enum proof_id id, void (*how)(struct machine *, struct proof *))
{
	struct error error;
	fake_open(&bench.fake, span_of(bench.script.data, bench.script.size), FAKE_FALLS_SILENT);
	assert_true(qmp_open(bench.fake.ours, &bench.fake.loop, -1, &bench.qmp, &error));
	bench.network.loop = &bench.fake.loop;
	bench.machine = (struct machine){ .loop = &bench.fake.loop,
		                          .arena = &bench.arena,
		                          .qmp = &bench.qmp,
		                          .console = &bench.console,
		                          .network = &bench.network,
		                          .run = &bench.run };
	how(&bench.machine, &bench.run.proofs[id]);
	assert_int_equal(bench.fake.left.size, 0); /* all that was played was asked for */
	return &bench.run.proofs[id];
}

static void end(void)
{
	qmp_close(&bench.qmp);
	fake_close(&bench.fake);
	console_free(&bench.console);
	arena_free(&bench.arena);
	text_free(&bench.script);
}

static void assert_proof(enum proof_id id, void (*how)(struct machine *, struct proof *), enum answer shown,
                         const char *reason)
{
	const struct proof *proof = prove(id, how);
	assert_non_null(proof->reason);
	if (proof->shown != shown || !strstr(proof->reason, reason))
		fail_msg("%s: %d, %s", proof_names[id], proof->shown, proof->reason);
	end();
}

#define LINUX "MAC, STATUS, CSUM, GUEST_CSUM, HOST_TSO4, GUEST_TSO4, MRG_RXBUF, CTRL_VQ"

static void rings(unsigned to, unsigned from, unsigned to_then, unsigned from_then)
{
	add_ring(to);
	add_ring(from);
	add_ring(to_then);
	add_ring(from_then);
}

static void driven_by_a_kernel(void **state)
{
	(void)state;
	begin();
	see_offloads();
	add_features(LINUX);
	rings(7, 9, 8, 9);
	struct proof *proof = prove(PROOF_NET_DRIVEN, prove_net_driven);
	assert_int_equal(proof->shown, ANSWER_YES);
	assert_string_equal(proof->found, LINUX);
	assert_int_equal(proof->evidence.count, 2);
	end();
}

static void rings_that_stand_still_decide_nothing(void **state)
{
	(void)state;
	begin();
	add_features(LINUX);
	rings(0, 0, 0, 0);
	assert_proof(PROOF_NET_DRIVEN, prove_net_driven, ANSWER_UNKNOWN, "rings stand still");
	/* Rings that move, but no frame was seen. */
	begin();
	add_features(LINUX);
	rings(1, 1, 2, 2);
	assert_proof(PROOF_NET_DRIVEN, prove_net_driven, ANSWER_UNKNOWN, "the guest has sent nothing");
}

/* No system's driver at the first look: it is asked again, behind the talk. */
static void look_twice(const char *features, const char *then, unsigned to, unsigned from, unsigned to_then,
                       unsigned from_then)
{
	add_features(features);
	add_ring(to);
	add_ring(from);
	add_features(then);
	add_ring(to_then);
	add_ring(from_then);
}

static void firmware_is_no_driver(void **state)
{
	(void)state;
	/* OVMF drove it before the kernel: its features, its rings, and nothing since. */
	begin();
	see_offloads();
	bench.run.steps[RUN_LOGIN].reached = true;
	look_twice("MAC, STATUS", "MAC, STATUS", 5, 5, 5, 5);
	assert_proof(PROOF_NET_DRIVEN, prove_net_driven, ANSWER_NO, "no driver has taken");
	/* It looks for something to boot over the network. */
	begin();
	see_offloads();
	look_twice("MAC, STATUS", "MAC, STATUS", 5, 5, 6, 6);
	assert_proof(PROOF_NET_DRIVEN, prove_net_driven, ANSWER_UNKNOWN, "did not come as far");
	/* A small driver, which agrees on no more than that. */
	begin();
	see_offloads();
	bench.run.steps[RUN_KERNEL].reached = true;
	look_twice("MAC, STATUS", "MAC, STATUS", 5, 5, 6, 6);
	assert_proof(PROOF_NET_DRIVEN, prove_net_driven, ANSWER_YES, "its rings move");
	/* What the firmware left behind takes the frames that we send, and sends none. */
	begin();
	see_offloads();
	bench.run.steps[RUN_INIT].reached = true;
	look_twice("MAC, STATUS", "MAC, STATUS", 5, 5, 9, 5);
	assert_proof(PROOF_NET_DRIVEN, prove_net_driven, ANSWER_NO, "no driver has taken");
	begin();
	look_twice("", "", 0, 0, 0, 0);
	assert_proof(PROOF_NET_DRIVEN, prove_net_driven, ANSWER_UNKNOWN, "did not come as far");
	begin();
	see_offloads();
	add_features("MAC, STATUS");
	assert_proof(PROOF_NET_CHECKSUM, prove_net_checksum, ANSWER_UNKNOWN, "no driver of the guest");
}

/* Its driver comes while we talk: nothing says any longer that there is none. */
static void a_slow_guest_is_given_a_second_look(void **state)
{
	(void)state;
	begin();
	bench.run.steps[RUN_LOGIN].reached = true;
	look_twice("", LINUX, 0, 0, 0, 0);
	assert_proof(PROOF_NET_DRIVEN, prove_net_driven, ANSWER_UNKNOWN, "a driver has taken");
	begin();
	see_offloads();
	bench.run.steps[RUN_LOGIN].reached = true;
	look_twice("", LINUX, 0, 0, 0, 3);
	assert_proof(PROOF_NET_DRIVEN, prove_net_driven, ANSWER_YES, "its rings move");
	/* Rings that stand still say so. */
	begin();
	see_offloads();
	add_features(LINUX);
	rings(49, 48, 49, 48);
	assert_proof(PROOF_NET_DRIVEN, prove_net_driven, ANSWER_YES, "buffers went through");
}

static const struct offload {
	enum proof_id id;
	void (*prove)(struct machine *machine, struct proof *out);
	const char *without; /* all features but one that it needs */
	const char *missing;
	size_t evidence;
} offloads[] = {
	{ PROOF_NET_CHECKSUM, prove_net_checksum, "CSUM, HOST_TSO4, CTRL_VQ", "GUEST_CSUM", 3 },
	{ PROOF_NET_TSO4, prove_net_tso4, "CSUM, GUEST_CSUM, GUEST_TSO4, CTRL_VQ", "HOST_TSO4", 2 },
	{ PROOF_NET_GRO4, prove_net_gro4, "CSUM, GUEST_CSUM, HOST_TSO4, CTRL_VQ", "GUEST_TSO4", 2 },
};

static void offloads_are_shown_by_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(offloads); i++) {
		const struct offload *offload = &offloads[i];
		begin();
		see_offloads();
		add_features(LINUX);
		struct proof *proof = prove(offload->id, offload->prove);
		assert_int_equal(proof->shown, ANSWER_YES);
		assert_int_equal(proof->evidence.count, offload->evidence);
		assert_string_equal(proof->evidence.items[1].path, RUN_FRAMES_PATH);
		end();

		begin(); /* frames of a kind that the driver did not agree on: not its own */
		see_offloads();
		add_agreed(offload->without, LINUX);
		assert_proof(offload->id, offload->prove, ANSWER_NO, offload->missing);

		begin(); /* nothing to agree on: that is the machine's fault */
		see_offloads();
		add_agreed(offload->without, offload->without);
		assert_proof(offload->id, offload->prove, ANSWER_UNKNOWN, "device does not offer");
	}
}

static void offloads_without_frames_are_unknown(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(offloads); i++) {
		begin();
		bench.network.silence = "nothing in the guest listens";
		add_features(LINUX);
		assert_proof(offloads[i].id, offloads[i].prove, ANSWER_UNKNOWN,
		             "nothing in the guest listens");

		begin();
		bench.network.conversation = "SSH";
		add_features(LINUX);
		assert_proof(offloads[i].id, offloads[i].prove, ANSWER_UNKNOWN, "the driver agrees on it");

		begin();
		bench.network.tap = -1;
		bench.network.reason = "/dev/net/tun cannot be opened";
		add_features(LINUX);
		assert_proof(offloads[i].id, offloads[i].prove, ANSWER_UNKNOWN, "/dev/net/tun");
	}
}

static void offloads_that_are_switched_off(void **state)
{
	(void)state;
	begin();
	see_offloads();
	bench.network.seen.checksum_out = bench.network.seen.tso_out = 0;
	add_features(LINUX);
	assert_proof(PROOF_NET_CHECKSUM, prove_net_checksum, ANSWER_NO, "none of 12 frames");
	begin();
	see_offloads();
	bench.network.seen.checksum_out = bench.network.seen.tso_out = 0;
	add_features(LINUX);
	assert_proof(PROOF_NET_TSO4, prove_net_tso4, ANSWER_NO, "and TSO with it");
	/* TSO alone: that segments are small may have other reasons. */
	begin();
	see_offloads();
	bench.network.seen.tso_out = 0;
	add_features(LINUX);
	assert_proof(PROOF_NET_TSO4, prove_net_tso4, ANSWER_UNKNOWN, "larger than a segment");
	/* Too little was said to tell. */
	begin();
	see_offloads();
	bench.network.seen.checksum_out = 0;
	bench.network.seen.tcp_frames_out = 2;
	add_features(LINUX);
	assert_proof(PROOF_NET_CHECKSUM, prove_net_checksum, ANSWER_UNKNOWN, "left its checksum");
}

static void a_qemu_that_does_not_tell(void **state)
{
	(void)state;
	begin();
	see_offloads();
	add_reply("{\"num-vqs\": 3}");
	assert_proof(PROOF_NET_DRIVEN, prove_net_driven, ANSWER_UNKNOWN, "no features");
	for (size_t i = 0; i < ARRAY_SIZE(offloads); i++) {
		begin();
		see_offloads();
		add_reply("7");
		assert_proof(offloads[i].id, offloads[i].prove, ANSWER_UNKNOWN, "no features");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(driven_by_a_kernel),
		cmocka_unit_test(rings_that_stand_still_decide_nothing),
		cmocka_unit_test(firmware_is_no_driver),
		cmocka_unit_test(a_slow_guest_is_given_a_second_look),
		cmocka_unit_test(offloads_are_shown_by_frames),
		cmocka_unit_test(offloads_without_frames_are_unknown),
		cmocka_unit_test(offloads_that_are_switched_off),
		cmocka_unit_test(a_qemu_that_does_not_tell),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
