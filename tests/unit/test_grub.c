// What GRUB boots by its menu: entries, defaults, the environment block, real menus.

#include "grub_bench.h"

static void set_env(struct run *run, const char *lines)
{
	int used = snprintf(run->block, sizeof(run->block), "# GRUB Environment Block\n%s", lines);
	memset(run->block + used, '#', sizeof(run->block) - (size_t)used);
	fake_add_span(&run->disk, 2, "/boot/grub/grubenv", span_of(run->block, sizeof(run->block)));
}

static struct run *run_script_with_env(const char *script, const char *env)
{
	struct run *run = new_run();
	set_env(run, env);
	fake_add(&run->disk, 2, "/boot/grub/grub.cfg", script);
	start(run, "pc");
	return run;
}

static void defaults(void **state)
{
	(void)state;
	default_is(with_default("0"), "One", "set default=0");
	default_is(run_script(two_entries), "One", "no default is set, so GRUB takes the first entry");
	default_is(with_default("2"), "Last", "set default=2");
	default_is(with_default("1"), "Old >> ones>Two", "set default=1");
	default_is(with_default("1>1"), "Old >> ones>Three", "set default=1>1");
	default_is(with_default("1>three"), "Old >> ones>Three", NULL);
	default_is(with_default("old>Three"), "Old >> ones>Three", NULL);
	default_is(with_default("Old >> ones>Three"), "Old >> ones>Three", NULL);
	default_is(with_default("last"), "Last", NULL);
	default_is(with_default("Last"), "Last", NULL);
	default_is(with_default("0x2"), "Last", NULL);
	default_is(with_default("gone"), "One", "default \"gone\" names no entry, so GRUB takes the first");
	default_is(with_default("9"), "One", "default \"9\" names no entry, so GRUB takes the first");
	default_is(with_default("-1"), "One", NULL);
	default_is(with_default("1>9"), "Old >> ones>Two", NULL);
	default_unknown(with_default("2 kernels"), "index for some versions");
}

static void no_entries(void **state)
{
	(void)state;
	struct run *run = run_script("set timeout=5\nset default=0\n");
	assert_true(run->finished);
	assert_int_equal(run->boot.default_known, ANSWER_NO);
	end(run);
	run = run_script("submenu a { true\n }\n");
	assert_int_equal(run->boot.default_known, ANSWER_NO);
	end(run);
}

static const char *const saved_default = "if [ -s $prefix/grubenv ]; then\n  load_env\nfi\n"
					 "if [ \"${next_entry}\" ] ; then\n"
					 "   set default=\"${next_entry}\"\n   set next_entry=\n"
					 "   save_env next_entry\n   set boot_once=true\n"
					 "else\n   set default=\"${saved_entry}\"\nfi\n"
					 "menuentry 'One' --id one { linux /boot/vmlinuz-1\n }\n"
					 "menuentry 'Two' --id two { linux /boot/vmlinuz-2\n }\n";

static void environment_block(void **state)
{
	(void)state;
	struct run *run = run_script_with_env(saved_default, "saved_entry=two\n");
	assert_string_equal(run->boot.default_place.path, "/boot/grub/grubenv");
	assert_int_equal(run->boot.default_place.line, 2);
	assert_string_equal(run->boot.default_place.text, "saved_entry=two");
	default_is(run, "Two", "saved_entry of grubenv");
	default_is(run_script_with_env(saved_default, "saved_entry=one\nnext_entry=two\n"), "Two",
	           "next_entry of grubenv");
	default_is(run_script_with_env(saved_default, "other=two\n"), "One",
	           "no default is set, so GRUB takes the first entry");
	default_is(run_script_with_env(saved_default, "saved_entry=gone\n"), "One", NULL);
	default_is(run_script(saved_default), "One", NULL);
}

static void damaged_environment_block(void **state)
{
	(void)state;
	struct run *run = new_run();
	fake_add(&run->disk, 2, "/boot/grub/grubenv", "garbage");
	fake_add(&run->disk, 2, "/boot/grub/grub.cfg", saved_default);
	start(run, "pc");
	assert_int_equal(run->boot.problems.count, 1);
	assert_string_equal(run->boot.problems.items[0].code, "grub-env");
	default_is(run, "One", NULL);
}

/* `set root=(hd0,gpt2)`, as people write it, is the same as without the parentheses. */
static void root_in_parentheses(void **state)
{
	(void)state;
	struct run *run = run_script("set root=(hd0,gpt2)\nmenuentry a { linux ($root)/boot/vmlinuz-1\n }\n"
	                             "menuentry b { linux /boot/vmlinuz-1\n }\n");
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(run->boot.entries.items[i].kernel.partition, 2);
		assert_int_equal(run->boot.entries.items[i].kernel.found, ANSWER_YES);
	}
	end(run);
}

static void timeouts(void **state)
{
	(void)state;
	struct run *run = run_script("set timeout=5\nmenuentry a { linux /boot/vmlinuz-1\n }\n");
	assert_string_equal(run->boot.timeout, "5");
	assert_int_equal(run->boot.timeout_place.line, 1);
	end(run);
	run = run_script("menuentry a { linux /boot/vmlinuz-1\n }\n");
	assert_string_equal(run->boot.timeout, "-1");
	end(run);
	run = run_script("true\n");
	assert_null(run->boot.timeout);
	end(run);
	run = run_script("configfile (hd1)/grub.cfg\nmenuentry a { linux /boot/vmlinuz-1\n }\n");
	assert_null(run->boot.timeout);
	end(run);
	run = run_script("regexp --set 1:timeout x y\nmenuentry a { linux /boot/vmlinuz-1\n }\n");
	assert_null(run->boot.timeout);
	end(run);
}

static void password(void **state)
{
	(void)state;
	struct run *run = run_script("set superusers=root\nexport superusers\npassword root x\n"
	                             "menuentry a { true\n }\nmenuentry b --unrestricted { true\n }\n");
	assert_int_equal(run->boot.problems.count, 1);
	assert_string_equal(run->boot.problems.items[0].code, "grub-password");
	end(run);
	run = run_script("set superusers=root\nset default=1\nmenuentry a { true\n }\n"
	                 "menuentry b --unrestricted { true\n }\n");
	assert_int_equal(run->boot.problems.count, 0);
	end(run);
}

static void fallback(void **state)
{
	(void)state;
	default_unknown(run_script("set fallback=1\nmenuentry a { linux /none\n }\nmenuentry b { true\n }\n"),
	                "fallback");
}

static void add_bls(struct run *run, const char *version)
{
	fake_add(&run->disk, 2, arena_printf(&run->arena, "/boot/vmlinuz-%s", version), "kernel");
	fake_add(&run->disk, 2,
	         arena_printf(&run->arena, "/boot/loader/entries/f00d-%s.el9.x86_64.conf", version),
	         arena_printf(&run->arena,
	                      "title Red Hat Enterprise Linux (%s)\nlinux /boot/vmlinuz-%s\n"
	                      "options root=UUID=root-uuid ro\n",
	                      version, version));
}

/* What real generators write: tests/golden/grub/. Their kernels exist in partition 2, but for Ubuntu's. */
static struct run *run_golden(const char *name, const char *env)
{
	struct run *run = new_run();
	const char *path = arena_printf(&run->arena, "%s/tests/golden/grub/%s.cfg", SOURCE_ROOT, name);
	struct span script = tool_filter(COMMAND("cat", path), (struct span){ 0 }, &run->arena);
	static const char *const versions[] = {
		"vmlinuz-5.10.0-32-cloud-amd64",      "vmlinuz-6.1.0-50-cloud-amd64",
		"vmlinuz-6.12.107+deb13-cloud-amd64", "vmlinuz-5.1.0-1-cloud-amd64",
		"vmlinuz-6.4.0-150600.21-default",    "vmlinuz-5.14.21-150400.22-default"
	};
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		fake_add(&run->disk, 2, arena_printf(&run->arena, "/boot/%s", versions[i]), "kernel");
	fake_add(&run->disk, 1, "/vmlinuz-6.8.0-1001-gcp", "kernel");
	add_bls(run, "5.14.0-427");
	add_bls(run, "5.14.0-503");
	if (env)
		set_env(run, env);
	fake_add_span(&run->disk, 2, "/boot/grub/grub.cfg", script);
	start(run, "efi");
	assert_true(run->finished);
	return run;
}

static void golden_is(const char *name, const char *env, const char *title, const char *kernel,
                      const char *part_of_command_line, size_t entries_expected)
{
	struct run *run = run_golden(name, env);
	const struct boot_entry *entry = default_of(run);
	assert_string_equal(entry->title, title);
	assert_string_equal(entry->kernel.path, kernel);
	assert_int_equal(entry->kernel.found, ANSWER_YES);
	if (!strstr(entry->command_line, part_of_command_line))
		fail_msg("%s: %s", name, entry->command_line);
	assert_int_equal(run->boot.entries.count, entries_expected);
	end(run);
}

static void golden(void **state)
{
	(void)state;
	golden_is("debian-11", NULL, "Debian GNU/Linux", "/boot/vmlinuz-5.10.0-32-cloud-amd64",
	          "root=UUID=" DEBIAN_UUID " ro console=ttyS0,38400n8d quiet", 5);
	golden_is("debian-12", NULL, "Debian GNU/Linux", "/boot/vmlinuz-6.1.0-50-cloud-amd64", "quiet", 5);
	/* The one more is "UEFI Firmware Settings". */
	golden_is("debian-13", NULL, "Debian GNU/Linux", "/boot/vmlinuz-6.12.107+deb13-cloud-amd64", "quiet",
	          6);
	golden_is("debian-12",
	          "saved_entry=gnulinux-advanced-" DEBIAN_UUID
	          ">gnulinux-5.1.0-1-cloud-amd64-recovery-" DEBIAN_UUID "\n",
	          "Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 5.1.0-1-cloud-amd64 "
	          "(recovery mode)",
	          "/boot/vmlinuz-5.1.0-1-cloud-amd64", "single", 5);
	golden_is("debian-12", "saved_entry=1>2\n",
	          "Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 5.1.0-1-cloud-amd64",
	          "/boot/vmlinuz-5.1.0-1-cloud-amd64", "quiet", 5);
	golden_is("debian-12", "saved_entry=0\nprev_saved_entry=1>2\n", "Debian GNU/Linux",
	          "/boot/vmlinuz-6.1.0-50-cloud-amd64", "quiet", 5);
	golden_is("ubuntu", NULL, "Ubuntu", "/vmlinuz-6.8.0-1001-gcp", "panic=-1", 2);
	golden_is("ubuntu", "initrdfail=1\n", "Ubuntu", "/vmlinuz-6.8.0-1001-gcp", "console=ttyS0,115200", 2);
	golden_is("suse", NULL, "SLES 15-SP6", "/boot/vmlinuz-6.4.0-150600.21-default",
	          "root=UUID=root-uuid console=ttyS0,115200 quiet", 2);
	golden_is(
		"suse",
		"saved_entry=gnulinux-advanced-root-uuid>SLES 15-SP6, with Linux 5.14.21-150400.22-default\n",
		"Advanced options for SLES 15-SP6>SLES 15-SP6, with Linux 5.14.21-150400.22-default",
		"/boot/vmlinuz-5.14.21-150400.22-default", "quiet", 2);
	golden_is("rhel-9", "saved_entry=f00d-5.14.0-427.el9.x86_64\n",
	          "Red Hat Enterprise Linux (5.14.0-427)", "/boot/vmlinuz-5.14.0-427",
	          "root=UUID=root-uuid ro", 2);
}

/* What openSUSE and SLES add to grub-mkconfig's text: snapshots in a submenu of another file, text mode
 * behind a key. */
static void suse_extras(void **state)
{
	(void)state;
	static const char script[] =
		"set btrfs_relative_path=\"y\"\nexport btrfs_relative_path\n"
		"if [ -n \"$extra_cmdline\" ]; then\n  submenu \"Bootable snapshot #$snapshot_num\" {\n"
		"    menuentry \"If OK, run 'snapper rollback' and reboot.\" { true; }\n  }\nfi\n"
		"if [ \"${grub_platform}\" = \"efi\" ]; then\n  hiddenentry \"Text mode\" --hotkey \"t\" {\n"
		"    set textmode=true\n    terminal_output console\n  }\nfi\n"
		"menuentry 'openSUSE Leap 15.6' --class opensuse --unrestricted $menuentry_id_option "
		"'gnulinux-simple' {\n"
		"\tset linux_gfx_mode=auto\n\texport linux_gfx_mode\n\techo 'Loading Linux ...'\n"
		"\tlinux /boot/vmlinuz-1 root=UUID=root-uuid ${extra_cmdline} splash=silent\n"
		"\tinitrd /boot/initrd-1\n}\n"
		"if [ -f \"/.snapshots/grub-snapshot.cfg\" ]; then\n  source "
		"\"/.snapshots/grub-snapshot.cfg\"\nfi\n";
	struct run *run = new_run();
	fake_add(&run->disk, 2, "/boot/grub/grub.cfg", script);
	fake_add(&run->disk, 2, "/.snapshots/grub-snapshot.cfg",
	         "if [ -z \"$extra_cmdline\" ]; then\n  submenu \"Start bootloader from a read-only "
	         "snapshot\" {\n"
	         "    submenu \"x\" { configfile /none\n }\n    if [ x$snapshot_found != xtrue ]; then\n"
	         "      submenu \"Not Found\" { true; }\n    fi\n  }\nfi\n");
	start(run, "efi");
	assert_string_equal(default_of(run)->command_line, "root=UUID=root-uuid splash=silent");
	default_is(run, "openSUSE Leap 15.6", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(entries),
		cmocka_unit_test(no_entries),
		cmocka_unit_test(environment_block),
		cmocka_unit_test(damaged_environment_block),
		cmocka_unit_test(root_in_parentheses),
		cmocka_unit_test(timeouts),
		cmocka_unit_test(password),
		cmocka_unit_test(fallback),
		cmocka_unit_test(golden),
		cmocka_unit_test(suse_extras),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
