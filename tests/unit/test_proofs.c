// The proofs against a QEMU that is played: what proves, what contradicts, and what must stay unknown. The
// real QEMU with real kernels, drivers left out, is in tests/boot.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "proofs_bench.h"

#define SCRIPT(text) span_of(text, sizeof(text) - 1)
#define READY        "{\"QMP\": {}}\n\0{\"return\": {}, \"id\": 1}\n\0"
#define COMMANDS                                                                                             \
	"{\"return\": [{\"name\": \"x-query-virtio-status\"}, {\"name\": \"x-query-virtio-queue-status\"}, " \
	"{\"name\": \"x-query-virtio-queue-element\"}], \"id\": 2}\n\0"

/* Only a console: the machine is gone. */
static struct proof by_console(const char *console, void (*prove)(struct machine *, struct proof *),
                               char *reason, size_t capacity)
{
	struct proofs_bench bench;
	struct proof proof = { 0 };
	proofs_bench_open(&bench, SCRIPT(""), FAKE_ENDS, span_text(console));
	prove(&bench.machine, &proof);
	assert_non_null(proof.reason);
	snprintf(reason, capacity, "%s", proof.reason);
	proofs_bench_close(&bench);
	return proof;
}

static void expect(const char *console, void (*prove)(struct machine *, struct proof *), enum answer shown,
                   const char *words)
{
	char reason[512];
	struct proof proof = by_console(console, prove, reason, sizeof(reason));
	if (proof.shown != shown || !strstr(reason, words))
		fail_msg("%s: %d, %s", console, proof.shown, reason);
}

static void a_port_is_what_the_kernel_says_last(void **state)
{
	(void)state;
	static const char legacy[] =
		"serial8250: ttyS2 at I/O 0x3e8 (irq = 4, base_baud = 115200) is a 16550A\n";
	static const char pnp[] =
		"[    3.373899] 00:01: ttyS2 at I/O 0x3e8 (irq = 6, base_baud = 115200) is a 16550A\n";
	char both[512];
	expect(legacy, prove_serial_ttys2, ANSWER_NO, "on IRQ 4, not on IRQ 6");
	expect(pnp, prove_serial_ttys2, ANSWER_YES, "16550A on IRQ 6");
	snprintf(both, sizeof(both), "%s%s", legacy, pnp);
	expect(both, prove_serial_ttys2, ANSWER_YES, "16550A on IRQ 6");
	expect(pnp, prove_serial_ttys3, ANSWER_UNKNOWN, "QEMU did not tell");
	expect("[    0.100000][    T1] 00:03: ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A\n",
	       prove_serial_ttys0, ANSWER_YES, "IRQ 4");
	expect("00:03: ttyS0 at I/O 0x2e8 (irq = 4, base_baud = 115200) is a 16550A\n", prove_serial_ttys0,
	       ANSWER_NO, "at 0x2e8, not at 0x3f8");
	expect("00:03: ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 8250\n", prove_serial_ttys0,
	       ANSWER_NO, "for a 8250");
	/* A program's words, and ports of another kind, are not the kernel's line. */
	expect("echo: the ttyS0 at I/O 0x3f8 (irq = 9, base_baud = 1) is a 16550A\n", prove_serial_ttys0,
	       ANSWER_UNKNOWN, "");
	expect("00:03: ttyS0 at MMIO 0x3f8 (irq = 4, base_baud = 115200) is a 16550A\n", prove_serial_ttys0,
	       ANSWER_UNKNOWN, "");
}

/* What virt has not got no guest is blamed for; its console has another name. */
static void virt_has_other_ports(void **state)
{
	(void)state;
	static const char console[] =
		"[    0.000000] Linux version 6.1.0\n"
		"[    0.500000] pnp: PnP ACPI: found 0 devices\n"
		"[    1.000000] Serial: 8250/16550 driver, 1 ports, IRQ sharing enabled\n";
	static void (*const lacked[])(struct machine *, struct proof *) = {
		prove_pnp, prove_serial_ttys0, prove_serial_ttys1, prove_serial_ttys2, prove_serial_ttys3,
	};
	const struct qemu virt = { .arch = "arm64" };
	const struct machine_request request = { .qemu = &virt };
	struct proofs_bench bench;
	proofs_bench_open(&bench, SCRIPT(""), FAKE_ENDS, span_text(console));
	bench.machine.request = &request;
	for (size_t i = 0; i < ARRAY_SIZE(lacked); i++) {
		struct proof proof = { 0 };
		lacked[i](&bench.machine, &proof);
		assert_int_equal(proof.shown, ANSWER_UNKNOWN);
		assert_non_null(strstr(proof.reason, "virt machine has no ISA devices"));
	}
	struct proof port = { 0 };
	prove_console(&bench.machine, &port);
	assert_int_equal(port.shown, ANSWER_YES);
	assert_string_equal(port.reason, "the kernel writes its messages to ttyAMA0");
	proofs_bench_close(&bench);
}

static void a_port_that_is_not_announced_is_not_driven(void **state)
{
	(void)state;
	static const char one[] = "[    1.0000] Serial: 8250/16550 driver, 1 ports, IRQ sharing enabled\n";
	static const char first[] =
		"[    3.373899] 00:03: ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A\n";
	char text[512];
	expect(one, prove_serial_ttys1, ANSWER_NO, "was told to take 1 ports");
	expect(one, prove_serial_ttys0, ANSWER_UNKNOWN, "");
	/* It may still come. */
	expect(first, prove_serial_ttys1, ANSWER_UNKNOWN, "");
	snprintf(text, sizeof(text), "%s[    4.000000] Run /init as init process\n", first);
	expect(text, prove_serial_ttys1, ANSWER_NO, "announced ttyS0, and never ttyS1");
}

static void the_kernels_lines_tell_of_acpi_and_pnp(void **state)
{
	(void)state;
	expect("[    1.693994] ACPI: Interpreter enabled\n", prove_acpi, ANSWER_YES, "through ACPI");
	expect("[    1.693994] ACPI: Interpreter disabled.\n", prove_acpi, ANSWER_NO, "without ACPI");
	expect("[    0.000000] ACPI: FACP 0x000000003FFE2230\n", prove_acpi, ANSWER_UNKNOWN, "");
	expect("[    2.546687] pnp: PnP ACPI: found 8 devices\n", prove_pnp, ANSWER_YES, "from ACPI");
	expect("[    2.546687] pnp: PnP ACPI: found 0 devices\n", prove_pnp, ANSWER_NO, "no ISA device");
	expect("[    2.546687] pnp: PnP ACPI: disabled\n", prove_pnp, ANSWER_NO, "does not take");
	expect("[    2.546687] pnp: PnP ACPI init\n", prove_pnp, ANSWER_UNKNOWN, "");
}

/* Another file system may be mounted on the way to a root that is not found. */
static void a_root_is_the_one_that_programs_run_from(void **state)
{
	(void)state;
	static const char mounted[] =
		"[    2.000000] EXT4-fs (sda2): mounted filesystem with ordered data mode\n";
	static const char missing[] = "ALERT!  UUID=1 does not exist.  Dropping to a shell!\n";
	static const char init[] = "[    4.000000] systemd[1]: Hostname set to <debian>.\n";
	char text[512];
	expect(mounted, prove_root, ANSWER_YES, "was mounted");
	expect(missing, prove_root, ANSWER_NO, "not found");
	snprintf(text, sizeof(text), "%s%s", mounted, missing);
	expect(text, prove_root, ANSWER_NO, "not found");
	snprintf(text, sizeof(text), "%s%s%s", mounted, init, missing);
	expect(text, prove_root, ANSWER_YES, "was mounted");
	expect(init, prove_root, ANSWER_YES, "its programs run");
}

static void expect_kvm(enum qemu_accelerator accelerator, const char *console,
                       void (*prove)(struct machine *, struct proof *), enum answer shown, const char *words)
{
	const struct qemu qemu = { .accelerator = accelerator };
	const struct machine_request request = { .qemu = &qemu };
	struct proofs_bench bench;
	struct proof proof = { 0 };
	proofs_bench_open(&bench, SCRIPT(""), FAKE_ENDS, span_text(console));
	bench.machine.request = &request;
	prove(&bench.machine, &proof);
	if (proof.shown != shown || !strstr(proof.reason, words))
		fail_msg("%s: %d, %s", console, proof.shown, proof.reason);
	assert_int_equal(proof.evidence.count, shown == ANSWER_YES);
	proofs_bench_close(&bench);
}

/* A machine without KVM shows none to a guest, whatever that prints. */
static void kvm_shows_where_there_is_one(void **state)
{
	(void)state;
	static const char lines[] = "[    0.000000] kvm-clock: Using msrs 4b564d01 and 4b564d00\n"
				    "[    0.100000] Booting paravirtualized kernel on KVM\n";
	static const char bare[] = "[    0.100000] Booting paravirtualized kernel on bare hardware\n";
	expect_kvm(QEMU_KVM, lines, prove_kvm_guest, ANSWER_YES, "paravirtualised");
	expect_kvm(QEMU_KVM, lines, prove_kvm_clock, ANSWER_YES, "its clock");
	expect_kvm(QEMU_KVM, bare, prove_kvm_guest, ANSWER_UNKNOWN, "no line of the kernel");
	expect_kvm(QEMU_KVM, bare, prove_kvm_clock, ANSWER_UNKNOWN, "no line of the kernel");
	expect_kvm(QEMU_TCG, lines, prove_kvm_guest, ANSWER_UNKNOWN, "not verified at run time");
	expect_kvm(QEMU_TCG, lines, prove_kvm_clock, ANSWER_UNKNOWN, "not verified at run time");
}

static void a_console_is_the_kernels(void **state)
{
	(void)state;
	expect("[    0.000000] Linux version 6.1.0\n", prove_console, ANSWER_YES, "");
	expect("[    0.000000] a\n[    0.000001] b\n[    0.000002] c\n", prove_console, ANSWER_YES, "");
	expect("[    0.000000] a\n[    0.000001] b\n", prove_console, ANSWER_UNKNOWN, "");
	expect("[  OK  ] a\n[  OK  ] b\n[  OK  ] c\nlogin: \n", prove_console, ANSWER_UNKNOWN, "");
	expect("Loading Linux 6.1.0-50-cloud-amd64 ...\n", prove_console, ANSWER_UNKNOWN, "");
	expect("Linux version 6.1.0 (gcc) #1 SMP\nslipway-init: Linux 6.1.0 on x86_64\n", prove_console,
	       ANSWER_YES, "");
	/* Programs that write to ttyS0 themselves, as journald does with ForwardToConsole=. */
	expect("[    1.000000] systemd[1]: a\n[    1.000000] cloud-init[51]: b\n[    1.000000] sshd[9]: c\n"
	       "[    1.000000] kernel: Linux version 6.1.0\n",
	       prove_console, ANSWER_UNKNOWN, "");
	expect("slipway-init: Linux 6.1.0 on x86_64\nLinux version 6.1.0 (gcc) #1 SMP\n", prove_console,
	       ANSWER_UNKNOWN, "");
}

/* A machine that is gone proves nothing, says why, and waits for nothing. */
static void nothing_is_proved_of_a_machine_that_is_gone(void **state)
{
	(void)state;
	struct proofs_bench bench;
	proofs_bench_open(&bench, SCRIPT(""), FAKE_ENDS, SCRIPT(""));
	double begin = seconds_now();
	proofs_begin(&bench.machine);
	for (const struct proof_row *row = proof_rows; row->prove; row++)
		row->prove(&bench.machine, &bench.run.proofs[row->id]);
	assert_true(seconds_now() - begin < 5);
	for (const struct proof_row *row = proof_rows; row->prove; row++) {
		assert_int_equal(bench.run.proofs[row->id].shown, ANSWER_UNKNOWN);
		assert_non_null(bench.run.proofs[row->id].reason);
	}
	proofs_bench_close(&bench);
}

#define STATUS(features)                                                                                     \
	"{\"return\": {\"num-vqs\": 3, \"guest-features\": {\"transports\": [" features                      \
	"], \"dev-features\": ["                                                                             \
	"]}}, \"id\": 3}\n\0"

static void expect_driven(struct span script, const char *console, enum answer shown, const char *words)
{
	struct proofs_bench bench;
	struct proof proof = { 0 };
	proofs_bench_open(&bench, script, FAKE_ENDS, span_text(console));
	prove_scsi_driven(&bench.machine, &proof);
	if (proof.shown != shown || !strstr(proof.reason, words))
		fail_msg("%d, %s", proof.shown, proof.reason);
	proofs_bench_close(&bench);
}

/* Firmware drives the controller, its rings move, and it agrees on nothing. */
static void a_driver_agrees_on_features(void **state)
{
	(void)state;
	static const char init[] = "[    1.000000] Run /init as init process\n";
	expect_driven(
		SCRIPT(READY COMMANDS STATUS("\"VIRTIO_RING_F_EVENT_IDX: Used\"") "{\"return\": "
	                                                                          "{\"used-idx\": 290}, "
	                                                                          "\"id\": 4}\n"),
		"", ANSWER_YES, "answered");
	expect_driven(SCRIPT(READY COMMANDS STATUS("\"VIRTIO_RING_F_EVENT_IDX: Used\"") "{\"return\": "
	                                                                                "{\"used-idx\": 0}, "
	                                                                                "\"id\": 4}\n"),
	              "", ANSWER_UNKNOWN, "no request");
	expect_driven(SCRIPT(READY COMMANDS STATUS("")), "", ANSWER_UNKNOWN, "did not come as far");
	expect_driven(SCRIPT(READY COMMANDS STATUS("")), init, ANSWER_NO, "no driver");
	expect_driven(SCRIPT(READY COMMANDS "{\"return\": {\"num-vqs\": -3}, \"id\": 3}\n"), init,
	              ANSWER_UNKNOWN, "no features");
	expect_driven(SCRIPT(READY "{\"return\": [], \"id\": 2}\n\0"), init, ANSWER_UNKNOWN, "does not show");
}

static void answer(struct text *script, const char *value, int id)
{
	text_printf(script, "{\"return\": %s, \"id\": %d}\n", value, id);
	text_add_char(script, 0);
}

/* A disk is plugged in, and the kernel reads it at once. */
static void expect_plugged(const char *features, enum answer shown, const char *words)
{
	struct text script CLEANUP(text_free) = { 0 };
	struct proofs_bench bench;
	struct proof proof = { 0 };
	char status[256];
	snprintf(status, sizeof(status),
	         "{\"num-vqs\": 3, \"guest-features\": {\"transports\": [], \"dev-features\": [%s]}}",
	         features);
	const char *const answers[] = {
		status,
		"{\"avail\": {\"idx\": 8}}",
		"[]",
		"{}",
		"{\"avail\": {\"idx\": 9}}",
		"[{\"qdev\": \"/machine/peripheral/spare\", \"stats\": {\"rd_operations\": 1}}]",
	};
	text_add_span(&script, SCRIPT(READY COMMANDS));
	for (int i = 0; i < (int)ARRAY_SIZE(answers); i++)
		answer(&script, answers[i], 3 + i);
	proofs_bench_open(&bench, span_of(script.data, script.size), FAKE_FALLS_SILENT, SCRIPT(""));
	prove_scsi_hotplug(&bench.machine, &proof);
	if (proof.shown != shown || !strstr(proof.reason, words) || !strstr(proof.found, "; 1 read"))
		fail_msg("%s: %d, %s, %s", features, proof.shown, proof.reason, proof.found);
	assert_null(strstr(proof.found, "reads"));
	proofs_bench_close(&bench);
}

/* The page asks for both feature bits. */
static void a_new_disk_is_told_by_an_event(void **state)
{
	(void)state;
	static const char hotplug[] = "\"VIRTIO_SCSI_F_HOTPLUG: new disks\"";
	static const char change[] = "\"VIRTIO_SCSI_F_CHANGE: changed disks\"";
	char both[256];
	snprintf(both, sizeof(both), "%s, %s", change, hotplug);
	expect_plugged(both, ANSWER_YES, "the kernel read it");
	expect_plugged(hotplug, ANSWER_UNKNOWN, "disks that change");
	expect_plugged(change, ANSWER_UNKNOWN, "new disks");
}

static void expect_disks(enum proof_id at_work, const char *devices, enum answer shown, const char *words)
{
	struct text script CLEANUP(text_free) = { 0 };
	struct proofs_bench bench;
	struct proof proof = { 0 };
	text_add_span(&script, SCRIPT(READY COMMANDS STATUS("\"VIRTIO_RING_F_EVENT_IDX: Used\"")));
	answer(&script, devices, 4);
	proofs_bench_open(&bench, span_of(script.data, script.size), FAKE_ENDS, SCRIPT(""));
	bench.run.proofs[at_work].shown = ANSWER_YES;
	prove_scsi_disks_only(&bench.machine, &proof);
	if (proof.shown != shown || !strstr(proof.reason, words))
		fail_msg("%s, %s: %d, %s", proof_names[at_work], devices, proof.shown, proof.reason);
	proofs_bench_close(&bench);
}

/* The controller's driver asks what hangs there; that takes no driver of disks. */
static void disks_are_driven_as_such(void **state)
{
	(void)state;
#define DISK "{\"name\": \"child[0]\", \"type\": \"link<scsi-hd>\"}"
	expect_disks(PROOF_SCSI_DRIVEN, "[" DISK "]", ANSWER_UNKNOWN, "no disk driver");
	expect_disks(PROOF_ROOT, "[" DISK "]", ANSWER_YES, "disks alone");
	expect_disks(PROOF_SCSI_HOTPLUG, "[" DISK ", " DISK "]", ANSWER_YES, "disks alone");
	expect_disks(PROOF_ROOT, "[" DISK ", {\"name\": \"child[1]\", \"type\": \"link<scsi-cd>\"}]",
	             ANSWER_UNKNOWN, "more than disks");
}

/* Of three queues one is for requests. */
static void queues_are_told_by_their_use(void **state)
{
	(void)state;
	struct proofs_bench bench;
	struct proof proof = { 0 };
	proofs_bench_open(
		&bench,
		SCRIPT(READY COMMANDS STATUS(
			"\"VIRTIO_RING_F_EVENT_IDX: Used\"") "{\"return\": {\"used-idx\": 9}, \"id\": 4}\n"),
		FAKE_ENDS, SCRIPT(""));
	prove_scsi_one_queue(&bench.machine, &proof);
	assert_int_equal(proof.shown, ANSWER_YES);
	assert_string_equal(proof.found, "1 request queue");
	proofs_bench_close(&bench);
}

static void the_trace_tells_commands(void **state)
{
	(void)state;
	static const char trace[] =
		"scsi_req_parsed target 1 lun 0 tag -5 command 40 dir 1 length 4096\n"
		"scsi_disk_new_request Command: lun=0 tag=0xfffffffb data=28 00 00 00 00 00 00 00 08 00\n"
		"scsi_req_parsed target 2 lun 0 tag -1031202032 command 18 dir 1 length 4\n"
		"scsi_req_parsed_lba target 2 lun 0 tag -1031202032 command 18 lba 65536\n"
		"scsi_disk_new_request Command: lun=0 tag=0xc2891b10 data=12 01 b0 00 04 00\n"
		"scsi_disk_new_request Command: lun=0 tag=0xc2891b10 data=28 00 00 00 00 00 00 00 08 00\n"
		"77@1.5:scsi_req_parsed target 2 lun 0 tag 7 command 158 dir 1 length 32\n"
		"77@1.5:scsi_disk_new_request Command: lun=0 tag=0x7 data=9e 10 00 00 00 00 00 00\n"
		"scsi_req_parsed target 2 lun 0 tag 6 command 18 dir 1 length 4\n"
		"scsi_disk_new_request Command: lun=0 tag=0x00000006 data= 0x12 0x01 0x83 0x00 0x04 0x00\n"
		"scsi_req_parsed target 2 lun 0 tag 8 command 37\n"
		"scsi_disk_new_request Command: lun=0 tag=0x9 data=25 00 00 00 00 00\n"
		"scsi_disk_new_request Command: lun=0 tag=0x8 data=\nscsi_req_parsed target";
	struct proofs_bench bench;
	struct scsi_seen seen = { 0 };
	proofs_bench_open(&bench, SCRIPT(""), FAKE_ENDS, SCRIPT(""));
	struct scsi_trace *reader = scsi_trace_new(&bench.machine, 2, &seen);
	for (size_t i = 0; i < sizeof(trace) - 1; i += 7)
		scsi_trace_feed(reader,
		                span_of(trace + i, sizeof(trace) - 1 - i < 7 ? sizeof(trace) - 1 - i : 7));
	assert_int_equal(seen.commands, 3);
	assert_string_equal(seen.pages, "b0, 83");
	assert_true(seen.block_page_line > 0 && seen.capacity16_line > 0);
	assert_int_equal(seen.read_line, 0);
	assert_int_equal(seen.capacity10_line, 0);
	scsi_trace_free(reader);
	proofs_bench_close(&bench);
}

/* What the registers and counters tell of a quiet kernel, before and behind its start. */
static void expect_port(const char *console, const char *modem, const char *counts, enum answer shown,
                        const char *words)
{
	struct text script CLEANUP(text_free) = { 0 };
	struct proofs_bench bench;
	struct proof proof = { 0 };
	const char *before = "IRQ statistics for isa-i8259:\\r\\n 3: 1\\r\\n 4: 1\\r\\n";
	text_add_span(&script, SCRIPT(READY COMMANDS));
	text_printf(&script, "{\"return\": \"%s\", \"id\": 3}\n", before);
	text_add_char(&script, 0);
	for (int i = 4; i <= 9; i++) {
		const char *answer = i == 8 ? modem : i == 9 ? counts : "portb[0x03fc] = 0x08\\r\\n";
		text_printf(&script, "{\"return\": \"%s\", \"id\": %d}\n", answer, i);
		text_add_char(&script, 0);
	}
	proofs_bench_open(&bench, span_of(script.data, script.size), FAKE_ENDS, span_text(console));
	proofs_begin(&bench.machine);
	prove_serial_ttys0(&bench.machine, &proof);
	if (proof.shown != shown || !strstr(proof.reason, words))
		fail_msg("%s %s: %d, %s", modem, counts, proof.shown, proof.reason);
	proofs_bench_close(&bench);
}

static void expect_registers(const char *modem, const char *counts, enum answer shown, const char *words)
{
	expect_port("", modem, counts, shown, words);
}

/* The console is the guest's own word, and a port is set up by whoever drives it. */
static void a_port_that_nobody_touched_is_not_driven(void **state)
{
	(void)state;
	static const char line[] =
		"[    3.373899] 00:03: ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A\n";
	expect_port(line, "portb[0x03fc] = 0x08", "IRQ statistics for isa-i8259:\\r\\n 4: 1\\r\\n",
	            ANSWER_UNKNOWN, "nobody has set the port up");
	expect_port(line, "portb[0x03fc] = 0x08", "IRQ statistics for isa-i8259:\\r\\n 4: 3\\r\\n",
	            ANSWER_YES, "16550A on IRQ 4");
	expect_port(line, "portb[0x03fc] = 0x00", "IRQ statistics for isa-i8259:\\r\\n 4: 1\\r\\n",
	            ANSWER_YES, "16550A on IRQ 4");
}

/* A line that another was written into is none; the port tells that somebody drives it. */
static void a_port_that_was_set_up_is_not_missed(void **state)
{
	(void)state;
	static const char others[] =
		"[    3.373899] 00:02: ttyS1 at I/O 0x2f8 (irq = 3, base_baud = 115200) is a 16550A\n"
		"[    4.000000] Run /init as init process\n";
	expect_port(others, "portb[0x03fc] = 0x08", "", ANSWER_NO, "announced ttyS1, and never ttyS0");
	expect_port(others, "portb[0x03fc] = 0x0b", "", ANSWER_UNKNOWN, "says nothing of ttyS0");
}

static void a_quiet_kernels_port_is_set_up_and_fires(void **state)
{
	(void)state;
	expect_registers("portb[0x03fc] = 0x0b", "IRQ statistics for ioapic:\\r\\n 4: 90\\r\\n", ANSWER_YES,
	                 "fired");
	expect_registers("portb[0x03fc] = 0x08", "IRQ statistics for ioapic:\\r\\n 4: 90\\r\\n",
	                 ANSWER_UNKNOWN, "not seen to set it up");
	expect_registers("portb[0x03fc] = 0x0b", "IRQ statistics for ioapic:\\r\\n 4: 1\\r\\n",
	                 ANSWER_UNKNOWN, "not seen to set it up");
	expect_registers("portb", "IRQ statistics for ioapic:\\r\\n 4: 9\\r\\n", ANSWER_UNKNOWN,
	                 "did not tell");
	expect_registers("portb[0x03fc] = 0x0b", "no such command", ANSWER_UNKNOWN, "did not tell");
}

/* A guest that a busy host keeps waiting is none that does nothing. */
static void a_guest_is_given_its_time(void **state)
{
	(void)state;
	static const struct {
		double seconds, cpu, starved;
		uint64_t said;
		bool had_time;
	} rows[] = {
		{ 7, 20, 0, 0, false },    { 8, 0.3, 0, 0, true },   { 8, 0.3, 0.9, 0, false },
		{ 8, 2, 0, 0, false },     { 8, 0.3, 0, 1, false },  { 30, 3, 24, 0, false },
		{ 30, 11, 24, 99, true },  { 9, 11, 0, 99, true },   { 30, 0.9, 2, 0, true },
		{ 30, 0.9, -6, 0, false }, { 30, 11, -6, 99, true }, { 30, -6, 0, 0, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct guest_time from = { 100, 5, 5, 1000 };
		const struct guest_time to = { from.seconds + rows[i].seconds, from.cpu + rows[i].cpu,
			                       from.starved + rows[i].starved, from.said + rows[i].said };
		if (guest_had_time(&from, &to) != rows[i].had_time)
			fail_msg("row %zu", i);
	}
	/* Of no process nothing is known. */
	struct proofs_bench bench;
	proofs_bench_open(&bench, SCRIPT(""), FAKE_ENDS, span_text("a line\n"));
	struct guest_time now = guest_time_now(&bench.machine), later = now;
	later.seconds += 1000;
	assert_int_equal(now.said, 7);
	assert_false(guest_had_time(&now, &later));
	/* Of this one it is known what it used. */
	const struct machine_process own = { .process = getpid(), .pidfd = -1, .said = -1 };
	bench.machine.process = &own;
	assert_true(guest_time_now(&bench.machine).cpu > 0);
	proofs_bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_is_what_the_kernel_says_last),
		cmocka_unit_test(virt_has_other_ports),
		cmocka_unit_test(a_port_that_is_not_announced_is_not_driven),
		cmocka_unit_test(the_kernels_lines_tell_of_acpi_and_pnp),
		cmocka_unit_test(a_root_is_the_one_that_programs_run_from),
		cmocka_unit_test(kvm_shows_where_there_is_one),
		cmocka_unit_test(a_console_is_the_kernels),
		cmocka_unit_test(nothing_is_proved_of_a_machine_that_is_gone),
		cmocka_unit_test(a_driver_agrees_on_features),
		cmocka_unit_test(a_new_disk_is_told_by_an_event),
		cmocka_unit_test(disks_are_driven_as_such),
		cmocka_unit_test(queues_are_told_by_their_use),
		cmocka_unit_test(the_trace_tells_commands),
		cmocka_unit_test(a_guest_is_given_its_time),
		cmocka_unit_test(a_quiet_kernels_port_is_set_up_and_fires),
		cmocka_unit_test(a_port_that_was_set_up_is_not_missed),
		cmocka_unit_test(a_port_that_nobody_touched_is_not_driven),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
