// The prediction of sysctls: which file wins, what the kernel takes, and what an interface makes of it. The
// appliers themselves are compared with the real programs in tests/oracle/.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "memory_fs.h"
#include "os/sysctl.h"

static struct memory_fs files;
static struct arena arena;
static struct kernel kernel;
static struct sysctl_system image;
static struct tree tree;

static void add_symbol(const char *symbol, const char *value)
{
	struct config_symbol *added = LIST_ADD(&arena, &kernel.config.symbols);
	*added = (struct config_symbol){ .symbol = symbol, .value = value };
}

/* A stock Debian 12 and its cloud kernel, with the symbols that its configuration really has. */
static int set_up(void **state)
{
	(void)state;
	files = (struct memory_fs){ 0 };
	arena = (struct arena){ 0 };
	kernel = (struct kernel){
		.version = "6.1.0-56-cloud-amd64",
		.banner = "6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC "
			  "Debian 6.1.176-1",
	};
	kernel.config.complete = ANSWER_YES;
	add_symbol("INET", "y");
	add_symbol("SYN_COOKIES", "y");
	add_symbol("SECURITY_YAMA", "y");
	add_symbol("LSM", "landlock,lockdown,yama,loadpin,safesetid,integrity,apparmor,selinux,smack,tomoyo,"
	                  "bpf");
	add_symbol("SECURITY_PERF_EVENTS_RESTRICT", "y");
	add_symbol("PERF_EVENTS", "y");
	image = (struct sysctl_system){
		.applier = SYSCTL_APPLIER_SYSTEMD,
		.command_line = "root=/dev/sda1 ro console=ttyS0,38400n8d",
		.command_line_place = { .path = "/boot/grub/grub.cfg", .line = 142 },
		.kernel = &kernel,
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	memory_free(&files);
	arena_free(&arena);
	return 0;
}

static const struct sysctl *predict(const char *key)
{
	struct names keys = { &key, 1 };
	struct budget budget = budget_default();
	tree = memory_tree(&files);
	image.tree = &tree;
	sysctl_predict(&image, &keys, &budget, &arena, &kernel);
	const struct sysctl *found = &kernel.sysctls.items[kernel.sysctls.count - 1];
	assert_string_equal(found->key, key);
	assert_non_null(found->reason);
	return found;
}

static void expect(const char *key, const char *value)
{
	const struct sysctl *found = predict(key);
	if (!str_equal(found->value, value))
		fail_msg("%s is %s, not %s (%s)", key, found->value ? found->value : "unknown",
		         value ? value : "unknown", found->reason);
}

static void expect_effective(const char *key, const char *value, const char *effective)
{
	expect(key, value);
	assert_string_equal(predict(key)->effective, effective);
}

static void expect_from(const char *key, const char *value, const char *path, uint64_t line)
{
	expect(key, value);
	const struct sysctl *found = predict(key);
	assert_int_equal(found->source, SYSCTL_FILE);
	assert_string_equal(found->place.path, path);
	assert_int_equal(found->place.line, line);
}

static void debian_defaults(void **state)
{
	(void)state;
	expect("net.ipv4.tcp_syncookies", "1");
	expect("kernel.yama.ptrace_scope", "0");
	expect("fs.protected_hardlinks", "1");
	expect("kernel.perf_event_paranoid", "3");
	expect("kernel.randomize_va_space", "2");
	expect("vm.mmap_min_addr", NULL);
	add_symbol("DEFAULT_MMAP_MIN_ADDR", "65536");
	expect("vm.mmap_min_addr", "65536");
	expect("kernel.kptr_restrict", "0");
	assert_int_equal(predict("kernel.kptr_restrict")->source, SYSCTL_KERNEL_DEFAULT);
	assert_null(predict("kernel.kptr_restrict")->place.path);
	/* all is 0, so that no interface takes source routes although default is 1 */
	expect_effective("net.ipv4.conf.default.accept_source_route", "1", "0");
	expect_effective("net.ipv4.conf.all.accept_source_route", "0", "0");
	expect_effective("net.ipv4.conf.all.rp_filter", "0", "0");
}

static void mainline_defaults(void **state)
{
	(void)state;
	kernel.version = "6.12.3";
	kernel.banner = "6.12.3 (me@build) (gcc 14) #1 SMP";
	expect("kernel.yama.ptrace_scope", "1");
	expect("fs.protected_symlinks", "0");
}

static void patched_defaults_of_others_are_unknown(void **state)
{
	(void)state;
	kernel.version = "5.14.0-427.el9.x86_64";
	kernel.banner = "5.14.0-427.el9.x86_64 (mockbuild@x86-64) #1 SMP PREEMPT_DYNAMIC";
	expect("kernel.yama.ptrace_scope", NULL);
	expect("fs.protected_symlinks", NULL);
	assert_int_equal(predict("fs.protected_symlinks")->source, SYSCTL_UNKNOWN);
	kernel.banner = NULL;
	kernel.version = NULL;
	expect("fs.protected_symlinks", NULL);
}

static void without_a_configuration(void **state)
{
	(void)state;
	kernel.config = (struct kernel_config){ 0 };
	expect("net.ipv4.tcp_syncookies", NULL);
	expect("kernel.randomize_va_space", NULL);
	expect("kernel.yama.ptrace_scope", NULL);
	memory_file(&files, "/etc/sysctl.d/a.conf", "kernel.randomize_va_space = 2\n");
	expect("kernel.randomize_va_space", "2");
}

static void keys_that_the_kernel_lacks(void **state)
{
	(void)state;
	memory_file(&files, "/etc/sysctl.d/a.conf", "kernel.yama.ptrace_scope=1\n");
	expect("kernel.yama.ptrace_scope", "1");
	image.command_line = "ro lsm=lockdown,apparmor";
	expect("kernel.yama.ptrace_scope", NULL);
	assert_int_equal(predict("kernel.yama.ptrace_scope")->source, SYSCTL_ABSENT);
	image.command_line = "ro lsm=apparmor,yama";
	expect("kernel.yama.ptrace_scope", "1");
	kernel.config.symbols.count = 0;
	expect("kernel.yama.ptrace_scope", NULL);
	assert_int_equal(predict("net.ipv4.tcp_syncookies")->source, SYSCTL_ABSENT);
}

static void the_first_directory_masks(void **state)
{
	(void)state;
	memory_file(&files, "/usr/lib/sysctl.d/50-a.conf", "kernel.kptr_restrict = 1\n");
	memory_file(&files, "/usr/lib/sysctl.d/60-b.conf", "# two\n\nfs.protected_hardlinks=0\n");
	expect_from("kernel.kptr_restrict", "1", "/usr/lib/sysctl.d/50-a.conf", 1);
	expect_from("fs.protected_hardlinks", "0", "/usr/lib/sysctl.d/60-b.conf", 3);
	memory_link(&files, "/etc/sysctl.d/50-a.conf", "/dev/null");
	memory_file(&files, "/run/sysctl.d/60-b.conf", "");
	expect("kernel.kptr_restrict", "0");
	expect("fs.protected_hardlinks", "1");
}

static void what_is_no_file_masks(void **state)
{
	(void)state;
	memory_file(&files, "/usr/lib/sysctl.d/50-a.conf", "kernel.kptr_restrict = 1\n");
	memory_directory(&files, "/etc/sysctl.d/50-a.conf");
	expect("kernel.kptr_restrict", "0");
}

static void a_file_that_cannot_be_read_is_no_mask(void **state)
{
	(void)state;
	memory_file(&files, "/usr/lib/sysctl.d/50-a.conf", "kernel.kptr_restrict = 1\n");
	memory_link(&files, "/etc/sysctl.d/50-a.conf", "50-a.conf");
	expect("kernel.kptr_restrict", NULL);
}

static void systemd_passes_hidden_files_over(void **state)
{
	(void)state;
	memory_file(&files, "/etc/sysctl.d/.a.conf", "kernel.kptr_restrict = 1\n");
	expect("kernel.kptr_restrict", "0");
}

/* A value that cannot be told may be the larger one. */
static void the_larger_of_an_unknown_value_is_unknown(void **state)
{
	(void)state;
	memory_file(&files, "/etc/sysctl.d/a.conf",
	            "net.ipv4.conf.all.rp_filter=1\nnet.ipv4.conf.default.rp_filter=1\n");
	expect_effective("net.ipv4.conf.default.rp_filter", "1", "1");
	image.command_line = "ro";
	image.applier = SYSCTL_APPLIER_UNKNOWN;
	assert_null(predict("net.ipv4.conf.default.rp_filter")->effective);
}

static void names_order_files_of_all_directories(void **state)
{
	(void)state;
	memory_file(&files, "/etc/sysctl.d/10-a.conf", "kernel.kptr_restrict=2\n");
	memory_file(&files, "/usr/lib/sysctl.d/50-z.conf", "kernel.kptr_restrict=1\n");
	expect_from("kernel.kptr_restrict", "1", "/usr/lib/sysctl.d/50-z.conf", 1);
	memory_file(&files, "/etc/sysctl.conf", "kernel/kptr_restrict=0\n");
	expect("kernel.kptr_restrict", "1");
	memory_link(&files, "/etc/sysctl.d/99-sysctl.conf", "../sysctl.conf");
	expect_from("kernel.kptr_restrict", "0", "/etc/sysctl.conf", 1);
}

static void a_file_that_nobody_reads_is_named(void **state)
{
	(void)state;
	memory_file(&files, "/etc/sysctl.conf",
	            "# as told\nkernel.kptr_restrict=1\nfs.protected_hardlinks=1\n");
	expect("kernel.kptr_restrict", "0");
	assert_non_null(strstr(predict("kernel.kptr_restrict")->reason, "/etc/sysctl.conf:2 sets \"1\""));
	/* Where its value is in effect anyway, nothing is wrong. */
	assert_null(strstr(predict("fs.protected_hardlinks")->reason, "sysctl.conf"));
	memory_link(&files, "/etc/sysctl.d/10-main.conf", "../sysctl.conf");
	expect_from("kernel.kptr_restrict", "1", "/etc/sysctl.conf", 2);
	assert_string_equal(predict("kernel.kptr_restrict")->reason, "");
}

static void patterns_do_not_touch_what_is_named(void **state)
{
	(void)state;
	memory_file(&files, "/usr/lib/sysctl.d/50-default.conf",
	            "net.ipv4.conf.default.rp_filter = 2\nnet.ipv4.conf.*.rp_filter = 2\n"
	            "-net.ipv4.conf.all.rp_filter\n");
	expect_effective("net.ipv4.conf.all.rp_filter", "0", "2");
	/* The trap: both literal keys are what the page asks, and the interface is loose all the same. */
	memory_file(&files, "/etc/sysctl.d/60-gce-network-security.conf",
	            "net.ipv4.conf.all.rp_filter=1\nnet.ipv4.conf.default.rp_filter=1\n");
	expect_effective("net.ipv4.conf.all.rp_filter", "1", "2");
	expect_effective("net.ipv4.conf.default.rp_filter", "1", "2");
	const struct sysctl *found = predict("net.ipv4.conf.all.rp_filter");
	assert_string_equal(found->effective_place.path, "/usr/lib/sysctl.d/50-default.conf");
	assert_int_equal(found->effective_place.line, 2);
}

static void forwarding_turns_redirects(void **state)
{
	(void)state;
	memory_file(&files, "/etc/sysctl.d/a.conf",
	            "net.ipv4.conf.all.accept_redirects=0\nnet.ipv4.ip_forward=1\n");
	memory_file(&files, "/etc/sysctl.d/b.conf", "net.ipv4.ip_forward=0\n");
	/* The map writes ip_forward once, with the value that it has already. */
	expect("net.ipv4.conf.all.accept_redirects", "0");
	expect("net.ipv4.ip_forward", "0");
	/* One after the other, it goes on and off again, and turns accept_redirects on. */
	image.applier = SYSCTL_APPLIER_PROCPS;
	expect("net.ipv4.conf.all.accept_redirects", "1");
	expect("net.ipv4.conf.all.forwarding", "0");
	expect_effective("net.ipv4.conf.default.accept_redirects", "1", "1");
}

static void a_router_needs_both_to_accept_redirects(void **state)
{
	(void)state;
	memory_file(&files, "/etc/sysctl.d/a.conf", "net.ipv4.conf.all.forwarding=1\n");
	expect_effective("net.ipv4.conf.default.accept_redirects", "1", "0");
	expect_effective("net.ipv4.ip_forward", "1", "1");
}

static void a_host_needs_one_to_accept_redirects(void **state)
{
	(void)state;
	memory_file(&files, "/etc/sysctl.d/a.conf", "net.ipv4.conf.all.accept_redirects=0\n");
	expect_effective("net.ipv4.conf.all.accept_redirects", "0", "1");
}

static void the_kernel_refuses(void **state)
{
	(void)state;
	memory_file(&files, "/etc/sysctl.d/a.conf",
	            "fs.protected_hardlinks = 2\nkernel.kptr_restrict = one\n"
	            "kernel.randomize_va_space = 1#\nnet.ipv4.tcp_syncookies =\n"
	            "net.ipv4.icmp_echo_ignore_broadcasts=0x\n");
	expect("fs.protected_hardlinks", "1");
	assert_non_null(strstr(predict("fs.protected_hardlinks")->reason, "refuses \"2\""));
	/* A good line elsewhere would come too early: this one has to go first. */
	assert_string_equal(predict("fs.protected_hardlinks")->remedy,
	                    "sed -i '1s/^/#/' /etc/sysctl.d/a.conf");
	expect("kernel.kptr_restrict", "0");
	expect("kernel.randomize_va_space", "2");
	expect("net.ipv4.tcp_syncookies", "1");
	expect("net.ipv4.icmp_echo_ignore_broadcasts", "1");
}

static void the_kernel_reads_the_number_alone(void **state)
{
	(void)state;
	memory_file(&files, "/etc/sysctl.d/a.conf",
	            "kernel.kptr_restrict = 1 # hide\nkernel.randomize_va_space = 0x1\n"
	            "kernel.perf_event_paranoid = -1\nnet.ipv4.conf.all.rp_filter=01\n");
	expect("kernel.kptr_restrict", "1");
	assert_true(*predict("kernel.kptr_restrict")->reason != 0);
	expect("kernel.randomize_va_space", "1");
	expect("kernel.perf_event_paranoid", "-1");
	expect("net.ipv4.conf.all.rp_filter", "1");
}

static void ptrace_scope_3_stays(void **state)
{
	(void)state;
	image.command_line = "sysctl.kernel.yama.ptrace_scope=3";
	memory_file(&files, "/etc/sysctl.d/a.conf", "kernel.yama.ptrace_scope = 1\n");
	expect("kernel.yama.ptrace_scope", "3");
	assert_int_equal(predict("kernel.yama.ptrace_scope")->source, SYSCTL_COMMAND_LINE);
}

static void files_override_the_command_line(void **state)
{
	(void)state;
	image.command_line = "ro sysctl.kernel.kptr_restrict=2 sysctl.fs/protected_symlinks=0 norandmaps";
	expect("kernel.kptr_restrict", "2");
	assert_int_equal(predict("kernel.kptr_restrict")->source, SYSCTL_COMMAND_LINE);
	assert_string_equal(predict("kernel.kptr_restrict")->place.path, "/boot/grub/grub.cfg");
	expect("fs.protected_symlinks", "0");
	expect("kernel.randomize_va_space", "0");
	memory_file(&files, "/etc/sysctl.d/a.conf", "kernel.kptr_restrict = 1\n");
	expect_from("kernel.kptr_restrict", "1", "/etc/sysctl.d/a.conf", 1);
	/* Before 5.8 the kernel knew no such parameter; behind "--" it is not the kernel's. */
	kernel.version = "5.4.0";
	expect("fs.protected_symlinks", "1");
	kernel.version = "6.1.0";
	image.command_line = "ro -- sysctl.fs.protected_symlinks=0";
	expect("fs.protected_symlinks", "1");
}

/* Whether the files are applied is not known then, and so is no value. */
static void a_mask_that_cannot_be_looked_for(void **state)
{
	(void)state;
	memory_file(&files, "/etc/sysctl.d/50-a.conf", "kernel.kptr_restrict=1\n");
	assert_string_equal(predict("kernel.kptr_restrict")->value, "1");
	memory_link(&files, "/etc/systemd/system", "system");
	assert_null(predict("kernel.kptr_restrict")->value);
	assert_non_null(strstr(predict("kernel.kptr_restrict")->reason, "symbolic links"));
}

static void a_masked_service_applies_nothing(void **state)
{
	(void)state;
	memory_file(&files, "/etc/sysctl.d/a.conf", "kernel.kptr_restrict=1\nnet.ipv4.conf.*.rp_filter=1\n");
	expect("kernel.kptr_restrict", "1");
	memory_link(&files, "/etc/systemd/system/systemd-sysctl.service", "/dev/null");
	expect("kernel.kptr_restrict", "0");
	assert_non_null(strstr(predict("kernel.kptr_restrict")->reason, "masked"));
	assert_string_equal(predict("kernel.kptr_restrict")->remedy,
	                    "rm -f /etc/systemd/system/systemd-sysctl.service");
	/* but udev's rule runs the program for each interface */
	expect_effective("net.ipv4.conf.all.rp_filter", "0", "1");
}

static void old_procps_knows_no_patterns(void **state)
{
	(void)state;
	image.applier = SYSCTL_APPLIER_PROCPS;
	memory_file(&files, "/etc/sysctl.d/a.conf",
	            "net.ipv4.conf.*.send_redirects=0\nkernel.kptr_restrict=1\n");
	memory_file(&files, "/etc/sysctl.conf", "kernel.kptr_restrict=2\n");
	expect("net.ipv4.conf.all.send_redirects", "0");
	expect_from("kernel.kptr_restrict", "2", "/etc/sysctl.conf", 1);
	memory_file(&files, "/usr/lib/x86_64-linux-gnu/libprocps.so.8.0.3", "");
	expect("net.ipv4.conf.all.send_redirects", "1");
	expect("kernel.kptr_restrict", "2");
}

static void openrc_with_busybox(void **state)
{
	(void)state;
	image.applier = SYSCTL_APPLIER_BUSYBOX;
	memory_file(&files, "/etc/sysctl.d/a.conf",
	            "kernel.kptr_restrict = 1 # comment\nfs.protected_hardlinks =0\n"
	            "net.ipv4.conf.all.log_martians=1\n");
	memory_file(&files, "/usr/lib/sysctl.d/b.conf", "kernel.kptr_restrict=2\n");
	/* Nothing happens without /etc/sysctl.conf. */
	expect("kernel.kptr_restrict", "0");
	assert_string_equal(predict("kernel.kptr_restrict")->remedy, "touch /etc/sysctl.conf");
	memory_file(&files, "/etc/sysctl.conf", "kernel.kptr_restrict=2\n");
	expect_from("kernel.kptr_restrict", "1", "/etc/sysctl.d/a.conf", 1);
	expect("fs.protected_hardlinks", "1");
	expect("net.ipv4.conf.all.log_martians", "1");
}

static void an_unknown_init_is_not_trusted(void **state)
{
	(void)state;
	image.applier = SYSCTL_APPLIER_UNKNOWN;
	memory_file(&files, "/etc/sysctl.d/a.conf", "kernel.kptr_restrict = 1\n");
	expect("kernel.kptr_restrict", NULL);
	expect("fs.protected_hardlinks", "1");
}

static void everything_lists_the_files_keys_too(void **state)
{
	(void)state;
	const char *wanted = "kernel.kptr_restrict";
	struct names keys = { &wanted, 1 };
	struct budget budget = budget_default();
	memory_file(&files, "/etc/sysctl.d/a.conf",
	            "vm.swappiness = 10\nnet/ipv4/conf/eth0.5/rp_filter = 1\nkernel.kptr_restrict=1\n"
	            "=5\n/=5\n");
	tree = memory_tree(&files);
	image.tree = &tree;
	sysctl_predict_all(&image, &keys, &budget, &arena, &kernel);
	unsigned found = 0, wanted_seen = 0;
	for (size_t i = 0; i < kernel.sysctls.count; i++) {
		const struct sysctl *sysctl = &kernel.sysctls.items[i];
		assert_true(*sysctl->key != 0);
		wanted_seen += str_equal(sysctl->key, wanted);
		found += str_equal(sysctl->key, "vm.swappiness") && str_equal(sysctl->value, "10");
		found += str_equal(sysctl->key, "net.ipv4.conf.eth0/5.rp_filter") &&
		         str_equal(sysctl->value, "1");
	}
	assert_int_equal(found, 2);
	assert_int_equal(wanted_seen, 1);
}

static void a_used_up_budget_is_unknown(void **state)
{
	(void)state;
	const char *key = "kernel.kptr_restrict";
	struct names keys = { &key, 1 };
	struct budget budget = { .steps_left = 2 };
	memory_file(&files, "/etc/sysctl.d/a.conf", "a=1\nb=1\nc=1\nd=1\n");
	tree = memory_tree(&files);
	image.tree = &tree;
	sysctl_predict(&image, &keys, &budget, &arena, &kernel);
	assert_null(kernel.sysctls.items[0].value);
	assert_int_equal(kernel.sysctls.items[0].source, SYSCTL_UNKNOWN);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(debian_defaults),
		TEST(mainline_defaults),
		TEST(patched_defaults_of_others_are_unknown),
		TEST(without_a_configuration),
		TEST(keys_that_the_kernel_lacks),
		TEST(the_first_directory_masks),
		TEST(what_is_no_file_masks),
		TEST(a_file_that_cannot_be_read_is_no_mask),
		TEST(systemd_passes_hidden_files_over),
		TEST(the_larger_of_an_unknown_value_is_unknown),
		TEST(a_host_needs_one_to_accept_redirects),
		TEST(names_order_files_of_all_directories),
		TEST(a_file_that_nobody_reads_is_named),
		TEST(patterns_do_not_touch_what_is_named),
		TEST(forwarding_turns_redirects),
		TEST(a_router_needs_both_to_accept_redirects),
		TEST(the_kernel_refuses),
		TEST(the_kernel_reads_the_number_alone),
		TEST(ptrace_scope_3_stays),
		TEST(files_override_the_command_line),
		TEST(a_masked_service_applies_nothing),
		TEST(a_mask_that_cannot_be_looked_for),
		TEST(old_procps_knows_no_patterns),
		TEST(openrc_with_busybox),
		TEST(an_unknown_init_is_not_trusted),
		TEST(everything_lists_the_files_keys_too),
		TEST(a_used_up_budget_is_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
