// The console: lines to phases and symptoms, on what real machines said and on what a hostile guest could.
#include <string.h>

#include "console_bench.h"

static void assert_reached(enum run_phase phase, const char *pattern)
{
	if (!run.steps[phase].reached)
		fail_msg("%s was not reached", run_phase_names[phase]);
	assert_string_equal(run.steps[phase].place.path, RUN_CONSOLE_PATH);
	if (!str_glob(pattern, run.steps[phase].place.text, false))
		fail_msg("%s by: %s", run_phase_names[phase], run.steps[phase].place.text);
}

/* Each step's place is the line of that number. */
static void assert_places(void)
{
	for (size_t i = 0; i < RUN_PHASES; i++) {
		uint64_t line = run.steps[i].place.line;
		if (run.steps[i].reached && line <= console.lines.count)
			assert_string_equal(run.steps[i].place.text, console.lines.items[line - 1].text);
	}
}

static void debian_in_any_pieces(const char *name)
{
	static const size_t steps[] = { 1, 7, 512 };
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		again();
		feed_file(name, steps[i]);
		assert_reached(RUN_KERNEL, "\\[    0.000000\\] Linux version *");
		assert_reached(RUN_ROOT, "\\[*\\] EXT4-fs (sda1): mounted filesystem *");
		assert_reached(RUN_INIT, "Welcome to Debian GNU/Linux 12 (bookworm)!");
		assert_reached(RUN_LOGIN, "localhost login:");
		assert_places();
		assert_true(console.kernel_spoke);
		assert_string_equal(console_last(&console), "localhost login:");
		assert_int_equal(run.symptoms.count, 0);
		assert_true(run.steps[RUN_KERNEL].seconds < run.steps[RUN_ROOT].seconds);
		assert_true(run.steps[RUN_ROOT].seconds < run.steps[RUN_INIT].seconds);
		assert_true(run.steps[RUN_INIT].seconds < run.steps[RUN_LOGIN].seconds);
	}
}

static void debian_bios(void **state)
{
	(void)state;
	debian_in_any_pieces("bookworm-bios.log");
	assert_line(1, "SeaBIOS (version 1.16.3-debian-1.16.3-2~bpo12+1)");
	assert_line(2, "Booting from Hard Disk...");
	assert_reached(RUN_LOADER, "GRUB loading.");
	assert_int_equal(run.steps[RUN_LOADER].place.line, 3);
}

static void debian_uefi(void **state)
{
	(void)state;
	debian_in_any_pieces("bookworm-uefi.log");
	assert_reached(RUN_LOADER, "BdsDxe: starting Boot0001 *");
}

static void nothing_to_boot(void **state)
{
	(void)state;
	feed_file("empty-bios.log", 16);
	assert_symptom(0, "no-bootable-device", "Boot failed: not a bootable disk");
	assert_true(console.failed);
	assert_false(run.steps[RUN_LOADER].reached);
	again();
	feed_file("empty-uefi.log", 16);
	assert_symptom(0, "no-bootable-device", "UEFI Interactive Shell v2.2");
	assert_true(console.failed);
	assert_false(run.steps[RUN_LOADER].reached);
}

static bool is_login(const char *text)
{
	again();
	feed(text);
	return run.steps[RUN_LOGIN].reached;
}

static void login_prompts(void **state)
{
	(void)state;
	assert_true(is_login("localhost login: "));
	assert_true(is_login("login: "));
	assert_true(is_login("my-vm.example.com login:"));
	assert_true(is_login("host login: [   35.100000] random: crng init done\n"));
	assert_true(is_login("host login: root (automatic login)\r\n"));
	assert_false(is_login("Last login: "));
	assert_false(is_login("Last login: Mon Nov 3 on ttyS0\n"));
	assert_false(is_login("[   35.100000] audit: login: "));
	assert_false(is_login("The user can log in at the login: "));
	assert_false(is_login("host login: incorrect\n"));
	assert_false(is_login("nologin: "));
	assert_false(is_login("host login:\n"));
}

static void kernel_lines(void **state)
{
	(void)state;
	assert_string_equal(console_kernel_line("[    0.000000] Linux"), "Linux");
	assert_string_equal(console_kernel_line("[12345.678901][    T1] Linux"), "Linux");
	assert_null(console_kernel_line("[  OK  ] Started"));
	assert_null(console_kernel_line("[    0.0] x"));
	assert_null(console_kernel_line("[1234"));
	assert_null(console_kernel_line(""));
}

/* What a boot said before the guest restarted itself tells nothing of the one behind it. */
static void restarts(void **state)
{
	struct place place;
	(void)state;
	feed("[    0.000000] Linux version 6.1.0\nBooting from ROM...\n[FAILED] Failed to mount "
	     "/data.\nrestarting");
	assert_int_equal(run.symptoms.count, 1);
	console_restart(&console);
	assert_false(run.steps[RUN_KERNEL].reached);
	assert_int_equal(run.symptoms.count, 0);
	assert_null(console_find(&console, 0, "Booting from ROM...", NULL));
	feed("Booting from ROM...\n");
	assert_non_null(console_find(&console, 0, "Booting from ROM...", &place));
	assert_int_equal(place.line, 5);
}

/* A system whose initramfs has a systemd of its own (dracut), as Fedora's consoles show. */
static void the_initramfs_has_a_systemd(void **state)
{
	(void)state;
	feed("[    0.000000] Linux version 6.11.4\r\n"
	     "[    0.000000] Command line: root=UUID=1 initrd=/x systemd.show_status=1\r\n"
	     "[    2.000000] Run /init as init process\r\n"
	     "[    2.100000] systemd[1]: systemd 256.7 running in system mode (+PAM)\r\n"
	     "[    2.200000] systemd[1]: Running in initrd.\r\n"
	     "\r\nWelcome to Fedora Linux 41 dracut-102-1 (Initramfs)!\r\n"
	     "[    2.300000] systemd[1]: Hostname set to <localhost>.\r\n"
	     "[    2.400000] systemd[1]: Queued start job for default target initrd.target.\r\n"
	     "[  OK  ] Reached target slices.target - Slice Units.\r\n");
	assert_false(run.steps[RUN_INIT].reached);
	assert_false(run.steps[RUN_ROOT].reached);
	feed("[    5.000000] XFS (sda2): Ending clean mount\r\n"
	     "[  OK  ] Mounted sysroot.mount - /sysroot.\r\n");
	assert_reached(RUN_ROOT, "*Ending clean mount");
	assert_false(run.steps[RUN_INIT].reached);
	feed("         Starting initrd-switch-root.service - Switch Root...\r\n"
	     "[    7.000000] systemd[1]: systemd 256.7 running in system mode (+PAM)\r\n"
	     "\r\nWelcome to Fedora Linux 41 (Server Edition)!\r\n");
	assert_reached(RUN_INIT, "Welcome to Fedora Linux 41 (Server Edition)!");
}

static void other_inits(void **state)
{
	(void)state;
	feed("Linux version 6.6.0\nVFS: Mounted root (ext4 filesystem) readonly on device 8:1.\n"
	     "Run /sbin/init as init process\n");
	assert_reached(RUN_KERNEL, "Linux version 6.6.0");
	assert_reached(RUN_ROOT, "VFS: Mounted*");
	assert_reached(RUN_INIT, "Run /sbin/init*");
	again();
	feed("INIT: version 3.06 booting\n");
	assert_reached(RUN_INIT, "INIT*");
	again();
	feed("   OpenRC 0.54 is starting up Linux 6.6.58-0-virt (x86_64)\n");
	assert_reached(RUN_INIT, "*OpenRC*");
	again();
	feed("Run /init as init process\nWelcome to GRUB!\nYou are in emergency mode.\n"
	     "Welcome to emergency mode!\n");
	assert_false(run.steps[RUN_INIT].reached);
}

struct failure {
	const char *text;
	const char *first, *second; /* names; NULL: none */
	bool ends;
};

/* As the programs say it, taken from their sources and from guests that failed. */
static const struct failure failures[] = {
	{ "error: unknown filesystem.\r\nEntering rescue mode...\r\ngrub rescue> ", "grub-rescue", NULL,
	  true },
	{ "\x1b[1;1HGNU GRUB  version 2.06\x1b[3;1H   Minimal BASH-like line editing is supported. For\r\n",
	  "grub-rescue", NULL, true },
	{ "grub> ", "grub-rescue", NULL, true },
	{ "[    2.0", NULL, NULL, false },
	{ "[    2.012345] VFS: Cannot open root device \"sda1\" or unknown-block(0,0): error -6\n"
	  "[    2.012346] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n",
	  "unable-to-mount-root", NULL, true },
	{ "[    2.012346] Kernel panic - not syncing: ", NULL, NULL, false },
	{ "Gave up waiting for root file system device.  Common problems:\n"
	  "ALERT!  UUID=1-2 does not exist.  Dropping to a shell!\n\n(initramfs) ",
	  "unable-to-mount-root", NULL, true },
	{ "[  190.1] dracut-initqueue[300]: Warning: /dev/disk/by-uuid/1-2 does not exist\n"
	  "Generating \"/run/initramfs/rdsosreport.txt\"\nEntering emergency mode. Exit the shell to "
	  "continue.\n",
	  "unable-to-mount-root", "emergency-shell", true },
	{ "[    3.000000] Kernel panic - not syncing: No working init found.  Try passing init= option\n",
	  "no-init", NULL, true },
	{ "[    3.000000] Kernel panic - not syncing: Requested init /nope failed (error -2).\n", "no-init",
	  NULL, true },
	{ "[    3.000000][    T1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100\n",
	  "kernel-panic", NULL, true },
	{ "[FAILED] Failed to mount data.mount - /data.\n"
	  "You are in emergency mode. After logging in, type \"journalctl -xb\"\n"
	  "Give root password for maintenance\n(or press Control-D to continue): ",
	  "mount-failed", "emergency-shell", true },
	{ "[    5.000000] EXT4-fs error (device sda1): ext4_lookup:1855: inode #2: comm init\n",
	  "file-system-corruption", NULL, false },
	{ "[    5.000000] XFS (sda1): Metadata corruption detected at xfs_agi_verify\n"
	  "[    5.000001] XFS (sda1): Unmount and run xfs_repair\n",
	  "file-system-corruption", NULL, false },
	{ "/dev/sda1: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\n", "file-system-corruption", NULL,
	  false },
	{ "Verification failed: (0x1A) Security Violation\n", "secure-boot", NULL, true },
	{ "[   30.000000] cloud-init[400]: request to http://169.254.169.254/computeMetadata failed: timed "
	  "out\n",
	  "no-metadata-server", NULL, false },
	{ "[   40.000000] Out of memory: Killed process 400 (python3)\n", "out-of-memory", NULL, false },
	{ "No DEFAULT or UI configuration directive found!\nboot: ", "boot-loader-failed", NULL, true },
	/* What systems say that are well */
	{ "[    0.000000] Command line: root=/dev/sda1 panic=10 emergency\n", NULL, NULL, false },
	{ "error: file `/boot/grub/fonts/unicode.pf2' not found.\nerror: no suitable video mode found.\n",
	  NULL, NULL, false },
	{ "[  OK  ] Stopped emergency.service - Emergency Shell.\n", NULL, NULL, false },
	{ "[ TIME ] Timed out waiting for device dev-ttyS1.device - /dev/ttyS1.\n"
	  "[ TIME ] Timed out waiting for device dev-hvc0.device - /dev/hvc0.\n",
	  NULL, NULL, false },
	{ "[ TIME ] Timed out waiting for device dev-disk-by\\x2duuid-1.device - /dev/disk/by-uuid/1.\n",
	  "mount-failed", NULL, false },
	{ "[FAILED] Failed to start sshd-keygen@rsa.service - OpenSSH rsa Server Key Generation.\n", NULL,
	  NULL, false },
	{ "[FAILED] Failed to start ssh.service - OpenBSD Secure Shell server.\n", "sshd-failed", NULL,
	  false },
	{ "error: prohibited by secure boot policy.\n", "secure-boot", NULL, false },
	{ "Begin: Waiting for root file system ... done.\n", NULL, NULL, false },
	{ "[    9.000000] EXT4-fs (sda1): recovery complete\n", NULL, NULL, false },
};

static void failures_by_their_marks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		const struct failure *failure = &failures[i];
		again();
		feed(failure->text);
		size_t count = !failure->first ? 0 : !failure->second ? 1 : 2;
		if (run.symptoms.count != count || console.failed != failure->ends)
			fail_msg("%s: %zu symptoms, failed %d", failure->text, run.symptoms.count,
			         console.failed);
		if (failure->first)
			assert_symptom(0, failure->first, "*");
		if (failure->second)
			assert_symptom(1, failure->second, "*");
	}
}

static void what_outlasts_the_boot(void **state)
{
	(void)state;
	feed("error: out of memory.\nGave up waiting for root file system device.\n"
	     "[    5.000000] EXT4-fs error (device sda1): x\n");
	assert_int_equal(run.symptoms.count, 3);
	symptoms_came_up(&run);
	/* GRUB's row shares its name with the kernel's, which lasts */
	assert_int_equal(run.symptoms.count, 1);
	assert_symptom(0, "file-system-corruption", "*");
}

static void names_without_a_pattern(void **state)
{
	(void)state;
	symptom_add(&run, &arena, "no-console", (struct place){ .path = RUN_QMP_PATH, .line = 7 });
	symptom_add(&run, &arena, "no-console", (struct place){ 0 });
	symptom_add(&run, &arena, "no such name", (struct place){ 0 });
	assert_int_equal(run.symptoms.count, 1);
	assert_string_equal(run.symptoms.items[0].name, "no-console");
	assert_int_equal(run.symptoms.items[0].place.line, 7);
	/* Nobody hears a system that came up; what hung has not come up. */
	symptom_add(&run, &arena, "hang",
	            (struct place){ .path = RUN_CONSOLE_PATH, .line = 7, .text = "a line" });
	symptoms_came_up(&run);
	assert_int_equal(run.symptoms.count, 1);
	assert_string_equal(run.symptoms.items[0].name, "no-console");
}

/* Each job is kept by its name; one that is not shown any more is over. */
static void what_systemd_waits_for(void **state)
{
	(void)state;
	static const struct {
		const char *line, *name;
		double limit;
	} rows[] = {
		{ "[  *** ] A start job is running for Wait (a bit) (12s / no limit)", "Wait (a bit)", 0 },
		{ "[***   ] (1 of 2) A stop job is running for /dev/sda\xe2\x80\xa6 (1s / 1h 1min 30s)",
		  "/dev/sda\xe2\x80\xa6", 3690 },
		{ "[     *] Job dev-sdz.device/start running (1min 2s / 1min 30s): settles", "dev-sdz.device",
		  90 },
		{ "[     *] Job a.service/start running (2s / 3 parsecs)", "a.service", 0 },
		{ "[     *] Job /start running (2s / 3s)", NULL, 0 },
		{ "[     *] Job a.service running (2s / 3s)", NULL, 0 },
		{ "[     *] A start job is running for (2s / 3s", NULL, 0 },
		{ "[  OK  ] Job a.service/start running (2s / 3s)", NULL, 0 },
		{ "A start job is running for a (2s / 3s)", NULL, 0 },
		{ "[*", NULL, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		again();
		feed(arena_printf(&arena, "%s\n", rows[i].line));
		const struct console_job *job = console_next_job(&console, NULL);
		if (!str_equal(job ? job->name : NULL, rows[i].name) || (job && job->limit != rows[i].limit))
			fail_msg("%s: %s, %f", rows[i].line, job ? job->name : "none", job ? job->limit : 0);
	}
	again();
	for (unsigned i = 0; i < 9; i++)
		feed(arena_printf(&arena, "[*     ] Job %c.service/start running (%us / no limit)\n",
		                  'a' + i % 3, i));
	assert_int_equal(console.news, 3);
	const struct console_job *job = NULL;
	size_t count = 0;
	while ((job = console_next_job(&console, job)))
		count++;
	assert_int_equal(count, 3);
	/* Later another one is shown alone, and then none. */
	feed("[*     ] Job long.service/start running (9s / no limit)\n");
	static const char later[] = "[*     ] Job d.service/start running (9s / no limit)\n";
	console_feed(&console, span_text(later), 100, 2);
	assert_string_equal(console_next_job(&console, NULL)->name, "d.service");
	assert_null(console_next_job(&console, console_next_job(&console, NULL)));
	console_feed(&console, span_text("another line\n"), 200, 2);
	assert_null(console_next_job(&console, NULL));
	/* A long name is not cut inside a letter. */
	again();
	struct text line CLEANUP(text_free) = { 0 };
	text_add(&line, "[*     ] Job x");
	for (unsigned i = 0; i < 100; i++)
		text_add(&line, "\xc3\xa4");
	text_add(&line, "/start running (9s / no limit)\n");
	feed(text_get(&line));
	assert_int_equal(strlen(console_next_job(&console, NULL)->name), 159);
	again();
	text_clear(&line);
	text_add(&line, "[*     ] Job ");
	for (unsigned i = 0; i < 100; i++)
		text_add(&line, "\xc3\xa4");
	text_add(&line, "/start running (9s / no limit)\n");
	feed(text_get(&line));
	assert_int_equal(strlen(console_next_job(&console, NULL)->name), 158);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(debian_bios),
		TEST(debian_uefi),
		TEST(nothing_to_boot),
		TEST(login_prompts),
		TEST(kernel_lines),
		TEST(restarts),
		TEST(the_initramfs_has_a_systemd),
		TEST(other_inits),
		TEST(failures_by_their_marks),
		TEST(what_outlasts_the_boot),
		TEST(names_without_a_pattern),
		TEST(what_systemd_waits_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
