// What the proofs read: the console, QEMU's trace and its replies. The input is the console's text, a NUL,
// the trace, a NUL, and what QEMU says, as in fuzz_qmp. A machine that says nothing proves nothing.
#include <poll.h>
#include <string.h>

#include "../tests/unit/proofs_bench.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span next_part(struct span *rest)
{
	size_t end = span_find(*rest, 0, "\0", 1);
	struct span part = end == SIZE_MAX ? *rest : span_of(rest->data, end);
	*rest = end == SIZE_MAX ? span_of(NULL, 0) : span_from(*rest, end + 1);
	return part;
}

static void require_printable(const char *text)
{
	struct text clean CLEANUP(text_free) = { 0 };
	if (!text)
		return;
	text_add_clean(&clean, span_text(text));
	if (!str_equal(text, text_get(&clean)))
		abort();
}

/* Those that wait for nothing. */
static void (*const quick[])(struct machine *, struct proof *) = {
	prove_acpi,
	prove_pnp,
	prove_serial_ttys0,
	prove_serial_ttys1,
	prove_serial_ttys2,
	prove_serial_ttys3,
	prove_scsi_driven,
	prove_scsi_one_queue,
	prove_scsi_sectors,
	prove_scsi_disks_only,
	prove_scsi_command_sets,
	prove_console,
	prove_root,
	prove_login,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proofs_bench bench;
	struct span rest = span_of(data, size);
	struct span console = next_part(&rest), trace = next_part(&rest);
	proofs_bench_open(&bench, rest, FAKE_HURRIES, console);
	struct machine *machine = &bench.machine;
	struct scsi_seen *seen = &proof_state(machine)->seen;
	struct scsi_trace *reader = scsi_trace_new(machine, 2, seen);
	scsi_trace_feed(reader, trace);
	scsi_trace_free(reader);
	seen->traced = proof_state(machine)->was_plugged = trace.size > 0;
	proofs_begin(machine);
	for (size_t i = 0; i < ARRAY_SIZE(quick); i++) {
		struct proof proof = { 0 };
		quick[i](machine, &proof);
		if (!proof.reason || (proof.shown != ANSWER_UNKNOWN && proof.evidence.count == 0))
			abort();
		require_printable(proof.reason);
		require_printable(proof.found);
		for (size_t j = 0; j < proof.evidence.count; j++) {
			if (!proof.evidence.items[j].path || !proof.evidence.items[j].text)
				abort();
			require_printable(proof.evidence.items[j].text);
		}
		if (size == 0 && proof.shown != ANSWER_UNKNOWN)
			abort();
	}
	proofs_bench_close(&bench);
	return 0;
}
