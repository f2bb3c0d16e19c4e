// What ran beside what was read: runs made up here, on a Debian disk that meets everything.
#include "judge_bench.h"

#define KERNEL "6.1.0-56-cloud-amd64"

static struct run new_run(const char *firmware, enum run_end end)
{
	struct run run = {
		.firmware = firmware,
		.machine = "QEMU",
		.is_reference = true,
		.end = end,
	};
	run.steps[RUN_FIRMWARE].reached = true;
	return run;
}

static void reach(struct run *run, enum run_phase last)
{
	for (int phase = RUN_FIRMWARE; phase <= (int)last; phase++)
		run->steps[phase].reached = true;
}

static void prove(struct bench *bench, struct run *run, enum proof_id id, enum answer shown,
                  const char *reason)
{
	run->proofs[id].shown = shown;
	run->proofs[id].reason = reason;
	if (shown == ANSWER_UNKNOWN)
		return;
	run->proofs[id].found = proof_names[id];
	*LIST_ADD(&bench->arena, &run->proofs[id].evidence) =
		(struct place){ .path = RUN_QMP_PATH, .line = 7, .text = "seen" };
}

static void add_symptom(struct bench *bench, struct run *run, const char *name, const char *message)
{
	*LIST_ADD(&bench->arena, &run->symptoms) = (struct symptom){
		.name = name,
		.message = message,
		.place = { .path = RUN_CONSOLE_PATH, .line = 3, .text = message },
	};
}

static struct bench open_bench(void)
{
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", KERNEL);
	return bench;
}

static void join(struct bench *bench, const struct run *runs, size_t count)
{
	judge(bench);
	policy_join(&bench->policy, &bench->facts, runs, count, &bench->arena, &bench->judgement);
	assert_int_equal(bench->judgement.findings.count, bench->policy.rules.count);
	uint64_t counts[5] = { 0 };
	for (size_t i = 0; i < bench->judgement.findings.count; i++) {
		assert_ptr_equal(bench->judgement.findings.items[i].rule, &bench->policy.rules.items[i]);
		counts[bench->judgement.findings.items[i].verdict]++;
	}
	assert_memory_equal(counts, bench->judgement.counts, sizeof(counts));
}

static void expect_ran(const struct bench *bench, const char *id, enum verdict verdict, const char *how,
                       const char *begins)
{
	const struct finding *finding = finding_of(bench, id);
	if (finding->verdict != verdict || !str_equal(finding->how, how) ||
	    !str_starts(finding->reason, begins))
		fail_msg("%s: %s (%s): %s\n  expected %s (%s): %s", id, verdict_names[finding->verdict],
		         finding->how, finding->reason, verdict_names[verdict], how, begins);
	assert_true(finding->verdict == VERDICT_FAIL || !finding->fix);
}

static bool has_place(const struct finding *finding, const char *path)
{
	for (size_t i = 0; i < finding->evidence.count; i++)
		if (str_equal(finding->evidence.items[i].path, path))
			return true;
	return false;
}

static void expect_because(const struct bench *bench, const char *ids)
{
	struct text text CLEANUP(text_free) = { 0 };
	for (size_t i = 0; i < bench->judgement.boots_because.count; i++)
		text_printf(&text, "%s%s", i ? " " : "", bench->judgement.boots_because.items[i]->id);
	assert_string_equal(text_get(&text), ids);
}

static void a_proof_decides_with_both_evidences(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("BIOS", RUN_CAME_UP);
	reach(&run, RUN_LOGIN);
	prove(&bench, &run, PROOF_NET_DRIVEN, ANSWER_YES, "a driver agreed on features");
	prove(&bench, &run, PROOF_SCSI_DRIVEN, ANSWER_NO, "nothing drives it");
	prove(&bench, &run, PROOF_NET_TSO4, ANSWER_UNKNOWN, "there was no tap");
	join(&bench, &run, 1);
	expect_ran(&bench, "hardware.net.virtio", VERDICT_PASS, "ran",
	           "seen on the reference machine: a driver agreed on features; read: ");
	const struct finding *finding = finding_of(&bench, "hardware.net.virtio");
	assert_true(has_place(finding, RUN_QMP_PATH) && has_place(finding, "/boot/config"));
	assert_null(strstr(finding->reason, "proves it"));
	assert_string_equal(finding->found, "net-driven");
	expect_ran(&bench, "hardware.scsi.virtio", VERDICT_FAIL, "ran",
	           "seen on the reference machine: nothing drives it; read: ");
	/* The transport may be at fault, or the driver: this does not tell which. */
	expect_ran(&bench, "kernel.virtio-scsi", VERDICT_PASS, "read", "");
	assert_non_null(strstr(finding_of(&bench, "kernel.virtio-scsi")->reason,
	                       "; not decided on the reference machine: nothing drives it"));
	expect_ran(&bench, "hardware.net.tso4", VERDICT_PASS, "read", "");
	assert_non_null(strstr(finding_of(&bench, "hardware.net.tso4")->reason,
	                       "; not decided on the reference machine: there was no tap"));
	expect_ran(&bench, "hardware.net.gvnic", VERDICT_NOT_APPLICABLE, "read", "only Tau");
	/* It is a contradiction, and a finding of its own. */
	expect_ran(&bench, "boot.as-predicted", VERDICT_FAIL, "ran",
	           "read and run contradict each other: hardware.scsi.virtio");
	bench_close(&bench);
}

static void all_proofs_of_a_rule_count(void **state)
{
	(void)state;
	for (int last = ANSWER_UNKNOWN; last <= ANSWER_YES; last++) {
		struct bench bench = open_bench();
		struct run run = new_run("BIOS", RUN_CAME_UP);
		reach(&run, RUN_LOGIN);
		prove(&bench, &run, PROOF_SCSI_HOTPLUG, ANSWER_YES, "it was read");
		prove(&bench, &run, PROOF_SCSI_HOTUNPLUG, (enum answer)last, "its event");
		join(&bench, &run, 1);
		if (last == ANSWER_YES)
			expect_ran(&bench, "hardware.scsi.hotplug", VERDICT_PASS, "ran",
			           "seen on the reference machine: it was read; its event; read: ");
		else if (last == ANSWER_NO)
			expect_ran(&bench, "hardware.scsi.hotplug", VERDICT_FAIL, "ran",
			           "seen on the reference machine: its event; read: ");
		else
			expect_ran(&bench, "hardware.scsi.hotplug", VERDICT_PASS, "read", "");
		bench_close(&bench);
	}
}

static void what_is_not_reached_fails_nothing(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("BIOS", RUN_FAILED);
	prove(&bench, &run, PROOF_SCSI_DRIVEN, ANSWER_NO, "nothing drives it");
	prove(&bench, &run, PROOF_NET_DRIVEN, ANSWER_NO, "nothing drives it");
	join(&bench, &run, 1);
	expect_ran(&bench, "hardware.scsi.virtio", VERDICT_PASS, "read", "");
	run = new_run("BIOS", RUN_FAILED);
	reach(&run, RUN_KERNEL);
	prove(&bench, &run, PROOF_SCSI_DRIVEN, ANSWER_NO, "nothing drives it");
	prove(&bench, &run, PROOF_NET_DRIVEN, ANSWER_NO, "nothing drives it");
	join(&bench, &run, 1);
	expect_ran(&bench, "hardware.scsi.virtio", VERDICT_FAIL, "ran", "");
	expect_ran(&bench, "hardware.net.virtio", VERDICT_PASS, "read", "");
	bench_close(&bench);
}

static void a_system_that_came_up_boots(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("BIOS", RUN_CAME_UP);
	reach(&run, RUN_LOGIN);
	prove(&bench, &run, PROOF_ROOT, ANSWER_YES, "it was mounted");
	bench.facts.boot.entries.items[0].root_found = ANSWER_NO;
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	join(&bench, &run, 1);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	assert_int_equal(bench.judgement.came_up, ANSWER_YES);
	expect_because(&bench, "");
	expect_ran(&bench, "boot.root-found", VERDICT_PASS, "ran", "seen on the reference machine: it was");
	/* In the words of what is wanted: not how long it took, nor what was read to be missing. */
	assert_string_equal(finding_of(&bench, "boot.root-found")->found, "it was mounted");
	const struct finding *way_in = finding_of(&bench, "image.boot-path");
	expect_ran(&bench, "image.boot-path", VERDICT_PASS, "ran", "seen on the reference machine: it was");
	assert_string_not_equal(way_in->found, "root");
	expect_ran(&bench, "boot.as-predicted", VERDICT_FAIL, "ran",
	           "by what was read it does not boot, and it came up; read and run contradict each other: ");
	assert_false(judgement_fails_at(&bench.judgement, LEVEL_REQUIRED));
	/* A kernel that was loaded directly says nothing of the way to it. */
	run.firmware = "none";
	join(&bench, &run, 1);
	expect_ran(&bench, "image.boot-path", VERDICT_PASS, "read", "");
	assert_int_equal(bench.judgement.came_up, ANSWER_UNKNOWN);
	bench_close(&bench);
}

/* A direct boot mends no boot loader. */
static void a_direct_boot_is_no_way_in(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("none", RUN_CAME_UP);
	reach(&run, RUN_LOGIN);
	prove(&bench, &run, PROOF_ROOT, ANSWER_YES, "it was mounted");
	for (size_t i = 0; i < bench.facts.boot.paths.count; i++)
		bench.facts.boot.paths.items[i].works = ANSWER_NO;
	join(&bench, &run, 1);
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	assert_int_equal(bench.judgement.came_up, ANSWER_UNKNOWN);
	expect_because(&bench, "image.boot-path");
	bench_close(&bench);
}

static void what_a_direct_boot_meets_stops_nothing(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("none", RUN_CAME_UP);
	reach(&run, RUN_LOGIN);
	prove(&bench, &run, PROOF_ROOT, ANSWER_YES, "it was mounted");
	bench.facts.boot.entries.items[0].root_found = ANSWER_NO;
	join(&bench, &run, 1);
	expect_ran(&bench, "boot.root-found", VERDICT_PASS, "ran", "seen on the reference machine: it was");
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	assert_int_equal(bench.judgement.came_up, ANSWER_UNKNOWN);
	expect_because(&bench, "");
	bench_close(&bench);
}

/* By BIOS, where reading says that only UEFI leads anywhere. */
static void what_was_foreseen_contradicts_nothing(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("BIOS", RUN_FAILED);
	for (size_t i = 0; i < bench.facts.boot.paths.count; i++)
		if (str_equal(bench.facts.boot.paths.items[i].firmware, "bios"))
			bench.facts.boot.paths.items[i].works = ANSWER_NO;
	add_symptom(&bench, &run, "boot-code-silent", "the boot code leads nowhere");
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	join(&bench, &run, 1);
	assert_int_equal(bench.judgement.came_up, ANSWER_NO);
	assert_int_equal(finding_of(&bench, "boot.as-predicted")->verdict, VERDICT_PASS);
	expect_ran(&bench, "image.boot-path", VERDICT_UNKNOWN, "read",
	           "seen on the reference machine: the boot code leads nowhere, which has its cause here; "
	           "read: boots with UEFI");
	/* Nothing else of it is in doubt. */
	expect_ran(&bench, "boot.default-entry", VERDICT_PASS, "read", "");
	expect_because(&bench, "image.boot-path");
	/* Where the other firmware gets it up, nothing at all is. */
	struct run both[2] = { run, new_run("UEFI", RUN_CAME_UP) };
	reach(&both[1], RUN_LOGIN);
	prove(&bench, &both[1], PROOF_ROOT, ANSWER_YES, "it was mounted");
	add_symptom(&bench, &both[0], "no-bootable-device", "the firmware found nothing");
	join(&bench, both, 2);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	expect_ran(&bench, "image.boot-path", VERDICT_PASS, "ran", "seen on the reference machine: it was");
	expect_ran(&bench, "boot.default-entry", VERDICT_PASS, "read", "");
	expect_ran(&bench, "image.partition-table", VERDICT_PASS, "read", "");
	/* Nor does it say anything of a boot with the other that nothing was learnt from. */
	both[1] = new_run("UEFI", RUN_MACHINE);
	join(&bench, both, 2);
	assert_int_equal(bench.judgement.came_up, ANSWER_UNKNOWN);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	assert_int_equal(finding_of(&bench, "image.boot-path")->verdict, VERDICT_PASS);
	bench_close(&bench);
}

static void a_symptom_names_the_rule_that_failed(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("BIOS", RUN_FAILED);
	reach(&run, RUN_KERNEL);
	add_symptom(&bench, &run, "unable-to-mount-root", "the kernel could not mount the root");
	bench.facts.boot.entries.items[0].root_found = ANSWER_NO;
	join(&bench, &run, 1);
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	expect_because(&bench, "boot.root-found");
	expect_ran(&bench, "boot.root-found", VERDICT_FAIL, "ran",
	           "seen on the reference machine: the kernel could not mount the root; read: ");
	assert_true(has_place(finding_of(&bench, "boot.root-found"), RUN_CONSOLE_PATH));
	assert_null(strstr(finding_of(&bench, "boot.root-found")->reason, "not decided"));
	expect_ran(&bench, "boot.initramfs", VERDICT_UNKNOWN, "read", "the drivers of the boot disk are");
	assert_false(has_place(finding_of(&bench, "boot.initramfs"), RUN_CONSOLE_PATH));
	expect_ran(&bench, "boot.as-predicted", VERDICT_PASS, "ran", "");
	bench_close(&bench);
}

static void what_nothing_explains_makes_what_could_unknown(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("BIOS", RUN_FAILED);
	reach(&run, RUN_KERNEL);
	add_symptom(&bench, &run, "unable-to-mount-root", "the kernel could not mount the root");
	judge(&bench);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	join(&bench, &run, 1);
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	expect_ran(&bench, "boot.root-found", VERDICT_UNKNOWN, "read", "seen on the reference machine: ");
	expect_ran(&bench, "boot.fstab", VERDICT_PASS, "read", "");
	expect_ran(&bench, "boot.as-predicted", VERDICT_FAIL, "ran",
	           "by what was read it boots, and it did not come up");
	assert_true(judgement_fails_at(&bench.judgement, LEVEL_REQUIRED));
	assert_true(bench.judgement.boots_because.count > 1);
	bench_close(&bench);
}

static void the_machine_is_not_the_image(void **state)
{
	(void)state;
	static const enum run_end ends[] = { RUN_NOT_STARTED, RUN_MACHINE, RUN_INTERRUPTED };
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct bench bench = open_bench();
		struct run run = new_run("BIOS", ends[i]);
		reach(&run, RUN_KERNEL);
		prove(&bench, &run, PROOF_SCSI_DRIVEN, ANSWER_NO, "nothing drives it");
		add_symptom(&bench, &run, "unable-to-mount-root", "the kernel could not mount the root");
		join(&bench, &run, 1);
		assert_int_equal(bench.judgement.boots, ANSWER_YES);
		assert_int_equal(bench.judgement.came_up, ANSWER_UNKNOWN);
		assert_false(judgement_fails_at(&bench.judgement, LEVEL_REQUIRED));
		expect_ran(&bench, "boot.as-predicted", VERDICT_NOT_APPLICABLE, "read", "no boot on");
		bench_close(&bench);
	}
	/* Nor is a machine of another kind the page's. */
	struct bench bench = open_bench();
	struct run run = new_run("UEFI", RUN_FAILED);
	run.is_reference = false;
	reach(&run, RUN_KERNEL);
	prove(&bench, &run, PROOF_SCSI_DRIVEN, ANSWER_NO, "nothing drives it");
	add_symptom(&bench, &run, "unable-to-mount-root", "the kernel could not mount the root");
	join(&bench, &run, 1);
	expect_ran(&bench, "hardware.scsi.virtio", VERDICT_PASS, "read", "");
	expect_ran(&bench, "boot.root-found", VERDICT_PASS, "read", "");
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	bench_close(&bench);
	/* What it shows is none of the page's devices; a login prompt is one anywhere. */
	bench = open_bench();
	run = new_run("UEFI", RUN_CAME_UP);
	run.is_reference = false;
	reach(&run, RUN_LOGIN);
	prove(&bench, &run, PROOF_SCSI_DRIVEN, ANSWER_YES, "it was read");
	prove(&bench, &run, PROOF_LOGIN, ANSWER_YES, "a login prompt stands there");
	join(&bench, &run, 1);
	expect_ran(&bench, "hardware.scsi.virtio", VERDICT_PASS, "read", "");
	assert_non_null(strstr(finding_of(&bench, "hardware.scsi.virtio")->reason,
	                       "; not decided on the reference machine: the machine that it was booted on is "
	                       "not the page's"));
	expect_ran(&bench, "boot.serial-getty", VERDICT_PASS, "ran",
	           "seen on a machine that is not the page's: a login prompt stands there");
	expect_ran(&bench, "boot.as-predicted", VERDICT_NOT_APPLICABLE, "read",
	           "it was booted on a machine that is not the page's");
	bench_close(&bench);
}

static void the_worst_of_several_counts(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	*LIST_ADD(&bench.arena, &bench.judgement.features) = "UEFI_COMPATIBLE";
	struct run runs[2] = { new_run("BIOS", RUN_CAME_UP), new_run("UEFI", RUN_FAILED) };
	reach(&runs[0], RUN_LOGIN);
	reach(&runs[1], RUN_KERNEL);
	prove(&bench, &runs[0], PROOF_SCSI_DRIVEN, ANSWER_YES, "it was read");
	prove(&bench, &runs[1], PROOF_SCSI_DRIVEN, ANSWER_NO, "nothing drives it");
	prove(&bench, &runs[0], PROOF_NET_DRIVEN, ANSWER_YES, "frames");
	join(&bench, runs, 2);
	expect_ran(&bench, "hardware.scsi.virtio", VERDICT_FAIL, "ran",
	           "seen on the reference machine: nothing drives it, with UEFI; read: ");
	expect_ran(&bench, "hardware.net.virtio", VERDICT_PASS, "ran",
	           "seen on the reference machine: frames, with BIOS; read: ");
	assert_string_equal(finding_of(&bench, "hardware.scsi.virtio")->evidence.items[1].path,
	                    "uefi/qmp.log");
	assert_string_equal(finding_of(&bench, "hardware.net.virtio")->evidence.items[0].path,
	                    "bios/qmp.log");
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	for (size_t i = 0; i < bench.judgement.features.count; i++)
		assert_string_not_equal(bench.judgement.features.items[i], "UEFI_COMPATIBLE");
	/* A firmware that finds nothing, as was read: nobody starts it so. */
	bench.facts.boot.paths.items[1].works = ANSWER_NO;
	join(&bench, runs, 2);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	bench_close(&bench);
}

/* Its drivers may be modules, which are not with it. */
/* What both show is said once, and where each shows it. */
static void both_may_show_the_same(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run runs[2] = { new_run("BIOS", RUN_CAME_UP), new_run("UEFI", RUN_CAME_UP) };
	static const enum proof_id ports[] = { PROOF_SERIAL_TTYS0, PROOF_SERIAL_TTYS1, PROOF_SERIAL_TTYS2,
		                               PROOF_SERIAL_TTYS3 };
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
		reach(&runs[i], RUN_LOGIN);
		for (size_t p = 0; p < ARRAY_SIZE(ports); p++)
			prove(&bench, &runs[i], ports[p], ANSWER_YES, proof_names[ports[p]]);
	}
	join(&bench, runs, 2);
	expect_ran(&bench, "hardware.serial.count", VERDICT_PASS, "ran",
	           "seen on the reference machine: serial-ttyS0, with BIOS and with UEFI; serial-ttyS1, with "
	           "BIOS and with UEFI; serial-ttyS2, with BIOS and with UEFI; serial-ttyS3, with BIOS and "
	           "with UEFI; read: ");
	const struct finding *count = finding_of(&bench, "hardware.serial.count");
	assert_string_equal(count->found, "serial-ttyS0; serial-ttyS1; serial-ttyS2; serial-ttyS3");
	assert_string_equal(count->evidence.items[0].path, "bios/qmp.log");
	assert_string_equal(count->evidence.items[1].path, "uefi/qmp.log");
	bench_close(&bench);
}

static void a_kernel_alone_lacks_its_modules(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("none", RUN_CAME_UP);
	reach(&run, RUN_LOGIN);
	bench.facts.kind = INPUT_KERNEL;
	prove(&bench, &run, PROOF_NET_DRIVEN, ANSWER_NO, "nothing drives it");
	prove(&bench, &run, PROOF_SERIAL_TTYS1, ANSWER_YES, "on IRQ 3");
	prove(&bench, &run, PROOF_ACPI, ANSWER_NO, "it is not switched on");
	join(&bench, &run, 1);
	/* What is no module is missed. */
	expect_ran(&bench, "hardware.pci-bridge", VERDICT_FAIL, "ran",
	           "seen on the reference machine: it is not");
	const struct finding *finding = finding_of(&bench, "hardware.net.virtio");
	assert_int_not_equal(finding->verdict, VERDICT_FAIL);
	assert_string_equal(finding->how, "read");
	assert_non_null(
		strstr(finding->reason, "nothing drives it, where a kernel runs without its modules"));
	expect_ran(&bench, "hardware.serial.ttyS1", VERDICT_PASS, "ran", "seen on");
	bench_close(&bench);
}

/* Its init runs, and is quiet: a system that is up, or one that waits where nobody sees it. */
static void what_is_quiet_may_wait(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("BIOS", RUN_CAME_UP);
	reach(&run, RUN_INIT);
	prove(&bench, &run, PROOF_ROOT, ANSWER_YES, "it was mounted");
	join(&bench, &run, 1);
	assert_int_equal(bench.judgement.came_up, ANSWER_UNKNOWN);
	assert_int_equal(bench.judgement.boots, ANSWER_YES); /* as read */
	expect_ran(&bench, "boot.root-found", VERDICT_PASS, "ran", "seen on the reference machine: it was");
	run.answers = true;
	join(&bench, &run, 1);
	assert_int_equal(bench.judgement.came_up, ANSWER_YES);
	bench_close(&bench);
}

/* It panics while it tells of itself. */
static void what_panics_behind_its_login_is_not_up(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("none", RUN_FAILED);
	reach(&run, RUN_LOGIN);
	bench.facts.kind = INPUT_KERNEL;
	join(&bench, &run, 1);
	assert_int_equal(bench.judgement.came_up, ANSWER_YES); /* it switched itself off */
	add_symptom(&bench, &run, "kernel-panic", "the kernel panicked");
	join(&bench, &run, 1);
	assert_int_equal(bench.judgement.came_up, ANSWER_NO);
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	bench_close(&bench);
}

/* It may be up, unseen: the console is what fails. */
static void silence_is_no_failed_boot(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("BIOS", RUN_FAILED);
	add_symptom(&bench, &run, "no-console", "nothing came out of ttyS0");
	bench.facts.boot.entries.items[0].command_line = "root=UUID=" ROOT_UUID " ro";
	join(&bench, &run, 1);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	assert_int_equal(bench.judgement.came_up, ANSWER_UNKNOWN);
	expect_ran(&bench, "boot.console", VERDICT_FAIL, "ran",
	           "seen on the reference machine: nothing came");
	assert_non_null(finding_of(&bench, "boot.console")->fix);
	bench_close(&bench);
}

/* Without KVM the options are all there is, and the reason says so. */
static void what_takes_kvm_stays_as_read_without(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("BIOS", RUN_CAME_UP);
	reach(&run, RUN_LOGIN);
	prove(&bench, &run, PROOF_KVM_GUEST, ANSWER_UNKNOWN, "not verified at run time");
	prove(&bench, &run, PROOF_KVM_CLOCK, ANSWER_YES, "its clock is from KVM");
	join(&bench, &run, 1);
	expect_ran(&bench, "kernel.kvm-guest", VERDICT_PASS, "read", "CONFIG_KVM_GUEST=y; not decided on");
	assert_non_null(strstr(finding_of(&bench, "kernel.kvm-guest")->reason, "not verified at run time"));
	expect_ran(&bench, "kernel.kvm-clock", VERDICT_PASS, "ran",
	           "seen on the reference machine: its clock is from KVM; read: ");
	bench_close(&bench);
}

static void the_guest_sees_itself(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	add_sysctl(&bench, "kernel.kptr_restrict", "1", SYSCTL_FILE, "/etc/sysctl.d/60.conf", 1);
	add_sysctl(&bench, "fs.protected_symlinks", "1", SYSCTL_FILE, "/etc/sysctl.d/60.conf", 2);
	struct bench guest;
	bench_open(&guest);
	add_kernel(&guest, KERNEL, golden(&guest, "debian-12-cloud-amd64"));
	guest.facts.kind = INPUT_LIVE;
	guest.facts.examined = EXAMINED_FULL;
	add_sysctl(&guest, "kernel.kptr_restrict", "0", SYSCTL_FILE, "/proc/sys/kernel/kptr_restrict", 0);
	add_sysctl(&guest, "fs.protected_symlinks", "1", SYSCTL_FILE, "/proc/sys/fs/protected_symlinks", 0);
	struct run run = new_run("none", RUN_CAME_UP);
	reach(&run, RUN_LOGIN);
	run.inside = &guest.facts;
	join(&bench, &run, 1);
	expect_ran(&bench, "sysctl.kernel.kptr_restrict", VERDICT_FAIL, "ran",
	           "seen on the reference machine: the guest's own view: ");
	const struct finding *finding = finding_of(&bench, "sysctl.kernel.kptr_restrict");
	assert_string_equal(finding->found, "0");
	assert_true(has_place(finding, "/proc/sys/kernel/kptr_restrict"));
	assert_true(has_place(finding, "/etc/sysctl.d/60.conf"));
	assert_non_null(finding->fix);
	expect_ran(&bench, "sysctl.fs.protected_symlinks", VERDICT_PASS, "ran", "seen on");
	/* The configuration is a file of the image: the guest has no other. */
	expect_ran(&bench, "kernel.pci-msi", VERDICT_PASS, "read", "");
	/* Nobody saw its devices: they are judged by the image's kernel, not by the guest's. */
	expect_ran(&bench, "hardware.scsi.virtio", VERDICT_PASS, "read", "");
	expect_ran(&bench, "guest.utc", finding_of(&bench, "guest.utc")->verdict, "read", "");
	expect_ran(&bench, "boot.as-predicted", VERDICT_FAIL, "ran",
	           "read and run contradict each other: sysctl.kernel.kptr_restrict");
	guest.facts.kernels.items[0].config.place.path = "/proc/config.gz";
	join(&bench, &run, 1);
	expect_ran(&bench, "kernel.pci-msi", VERDICT_PASS, "ran", "seen on");
	bench_close(&guest);
	bench_close(&bench);
}

/* Boot code that comes to nothing has not read the menu. */
static void dead_boot_code_says_nothing_of_the_menu(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("BIOS", RUN_FAILED);
	add_symptom(&bench, &run, "boot-code-silent", "the boot code leads nowhere");
	join(&bench, &run, 1);
	assert_int_equal(finding_of(&bench, "image.boot-path")->verdict, VERDICT_UNKNOWN);
	expect_ran(&bench, "boot.default-entry", VERDICT_PASS, "read", "");
	expect_because(&bench, "image.boot-path");
	bench_close(&bench);
}

/* It is up, and nobody hears it: its console alone is in doubt. */
static void a_silent_system_comes_up(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("BIOS", RUN_CAME_UP);
	reach(&run, RUN_INIT);
	run.answers = true;
	add_symptom(&bench, &run, "no-console", "the kernel runs, but says nothing on ttyS0");
	join(&bench, &run, 1);
	assert_int_equal(bench.judgement.came_up, ANSWER_YES);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	assert_int_equal(finding_of(&bench, "boot.console")->verdict, VERDICT_UNKNOWN);
	assert_int_equal(finding_of(&bench, "boot.root-found")->verdict, VERDICT_PASS);
	bench_close(&bench);
}

/* What a user has put on the command line is none of the image's: it decides nothing, either way. */
static void words_of_a_user_decide_nothing(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	struct run run = new_run("none", RUN_CAME_UP);
	reach(&run, RUN_LOGIN);
	run.appended = "debug root=/dev/sda1";
	prove(&bench, &run, PROOF_ROOT, ANSWER_YES, "it was mounted");
	prove(&bench, &run, PROOF_LOGIN, ANSWER_YES, "a prompt stands there");
	prove(&bench, &run, PROOF_ACPI, ANSWER_NO, "the kernel runs without ACPI");
	bench.facts.boot.entries.items[0].root_found = ANSWER_NO;
	join(&bench, &run, 1);
	static const char not_decided[] = "; not decided on the reference machine: it was mounted, with "
					  "\"debug root=/dev/sda1\" appended "
					  "to the command line, which is nothing that was given to judge";
	expect_ran(&bench, "boot.root-found", VERDICT_FAIL, "read", "");
	assert_true(str_ends(finding_of(&bench, "boot.root-found")->reason, not_decided));
	expect_ran(&bench, "hardware.pci-bridge", VERDICT_PASS, "read", "");
	assert_non_null(
		strstr(finding_of(&bench, "hardware.pci-bridge")->reason, "without ACPI, with \"debug"));
	assert_int_equal(bench.judgement.boots, ANSWER_NO);
	expect_because(&bench, "boot.root-found");
	expect_ran(&bench, "boot.as-predicted", VERDICT_NOT_APPLICABLE, "read",
	           "it was booted with other words on its command line alone");
	/* It fails, and that is none of the image's doing. */
	bench.facts.boot.entries.items[0].root_found = ANSWER_YES;
	run.end = RUN_FAILED;
	add_symptom(&bench, &run, "kernel-panic", "init ended");
	join(&bench, &run, 1);
	assert_int_equal(bench.judgement.boots, ANSWER_YES);
	assert_int_equal(bench.judgement.came_up, ANSWER_UNKNOWN);
	expect_ran(&bench, "boot.default-entry", VERDICT_PASS, "read", "");
	/* By firmware it boots with its own words, which are judged. */
	struct run both[] = { new_run("BIOS", RUN_CAME_UP), run };
	reach(&both[0], RUN_LOGIN);
	prove(&bench, &both[0], PROOF_ACPI, ANSWER_YES, "ACPI is at work");
	join(&bench, both, 2);
	expect_ran(&bench, "hardware.pci-bridge", VERDICT_PASS, "ran",
	           "seen on the reference machine: ACPI is at");
	assert_int_equal(bench.judgement.came_up, ANSWER_YES);
	/* What only makes it say more changes nothing. */
	run = new_run("none", RUN_CAME_UP);
	reach(&run, RUN_LOGIN);
	run.appended = " ignore_loglevel systemd.log_level=debug ";
	prove(&bench, &run, PROOF_ACPI, ANSWER_YES, "ACPI is at work");
	join(&bench, &run, 1);
	expect_ran(&bench, "hardware.pci-bridge", VERDICT_PASS, "ran", "seen on");
	bench_close(&bench);
}

/* The guest's own view is of the words, too; a kernel's console is named by its user. */
static void words_of_a_user_show_in_the_guest(void **state)
{
	(void)state;
	static const struct {
		const char *appended, *how;
	} rows[] = {
		{ NULL, "ran" },
		{ "console=ttyS0,115200", "ran" },
		{ "sysctl.kernel.kptr_restrict=1", "read" },
		{ "console=tty0", "read" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench bench = open_bench();
		bench.facts.kind = INPUT_KERNEL;
		struct run run = new_run("none", RUN_CAME_UP);
		reach(&run, RUN_LOGIN);
		run.appended = rows[i].appended;
		prove(&bench, &run, PROOF_ACPI, ANSWER_YES, "ACPI is at work");
		join(&bench, &run, 1);
		if (!str_equal(finding_of(&bench, "hardware.pci-bridge")->how, rows[i].how))
			fail_msg("%s", rows[i].appended ? rows[i].appended : "no words");
		bench_close(&bench);
	}
}

static void without_a_boot_nothing_changes(void **state)
{
	(void)state;
	struct bench bench = open_bench();
	judge(&bench);
	expect(&bench, "boot.as-predicted", VERDICT_NOT_APPLICABLE,
	       "it was not booted on the reference machine");
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proof_decides_with_both_evidences),
		cmocka_unit_test(all_proofs_of_a_rule_count),
		cmocka_unit_test(what_is_not_reached_fails_nothing),
		cmocka_unit_test(a_system_that_came_up_boots),
		cmocka_unit_test(a_direct_boot_is_no_way_in),
		cmocka_unit_test(what_a_direct_boot_meets_stops_nothing),
		cmocka_unit_test(what_was_foreseen_contradicts_nothing),
		cmocka_unit_test(a_symptom_names_the_rule_that_failed),
		cmocka_unit_test(what_nothing_explains_makes_what_could_unknown),
		cmocka_unit_test(the_machine_is_not_the_image),
		cmocka_unit_test(the_worst_of_several_counts),
		cmocka_unit_test(both_may_show_the_same),
		cmocka_unit_test(a_kernel_alone_lacks_its_modules),
		cmocka_unit_test(what_is_quiet_may_wait),
		cmocka_unit_test(what_panics_behind_its_login_is_not_up),
		cmocka_unit_test(silence_is_no_failed_boot),
		cmocka_unit_test(what_takes_kvm_stays_as_read_without),
		cmocka_unit_test(the_guest_sees_itself),
		cmocka_unit_test(dead_boot_code_says_nothing_of_the_menu),
		cmocka_unit_test(a_silent_system_comes_up),
		cmocka_unit_test(words_of_a_user_decide_nothing),
		cmocka_unit_test(words_of_a_user_show_in_the_guest),
		cmocka_unit_test(without_a_boot_nothing_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
