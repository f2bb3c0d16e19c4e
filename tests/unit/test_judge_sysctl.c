// The policy's judgement of sysctls.
#include "judge_bench.h"

static void judges_sysctls_of_files_without_a_kernel(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	bench.facts.kernels.count = 0;
	struct sysctl *set = LIST_ADD(&bench.arena, &bench.facts.sysctls);
	set->key = "kernel.kptr_restrict";
	set->value = set->effective = "1";
	set->source = SYSCTL_FILE;
	set->place.path = "/etc/sysctl.d/60-image.conf";
	struct sysctl *unset = LIST_ADD(&bench.arena, &bench.facts.sysctls);
	unset->key = "kernel.randomize_va_space";
	unset->reason = "no file sets it, and without a kernel its default is not known";
	judge(&bench);
	expect(&bench, "sysctl.kernel.kptr_restrict", VERDICT_PASS, "1: set by /etc/sysctl.d/60-image.conf");
	expect(&bench, "sysctl.kernel.randomize_va_space", VERDICT_UNKNOWN,
	       "kernel.randomize_va_space: no file sets it, and without a kernel its default is not known");
	expect(&bench, "kernel.kvm-guest", VERDICT_UNKNOWN, "no kernel was found to judge");
	bench_close(&bench);
}

static void names_what_stands_in_a_sysctls_way(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	struct sysctl *refused =
		add_sysctl(&bench, "kernel.kptr_restrict", "0", SYSCTL_KERNEL_DEFAULT, NULL, 0);
	refused->reason = "kernel default; the kernel refuses \"9\" of /etc/sysctl.d/99-x.conf:3";
	refused->remedy = "sed -i '3s/^/#/' /etc/sysctl.d/99-x.conf";
	/* Another key's line changed it, and has to stay. */
	struct sysctl *redirects = add_sysctl(&bench, "net.ipv4.conf.all.accept_redirects", "1", SYSCTL_FILE,
	                                      "/etc/sysctl.d/10-router.conf", 2);
	redirects->place.text = "net.ipv4.ip_forward = 0";
	redirects->reason = "turning ip_forward off turns accept_redirects on";
	struct sysctl *forward = add_sysctl(&bench, "net.ipv4.ip_forward", "1", SYSCTL_FILE,
	                                    "/etc/sysctl.d/zz-router.conf", 4);
	forward->place.text = "net.ipv4.* = 1";
	struct sysctl *slashes = add_sysctl(&bench, "net.ipv4.conf.all.log_martians", "0", SYSCTL_FILE,
	                                    "/etc/sysctl.d/10-a.conf", 1);
	slashes->place.text = "-net/ipv4/conf/all/log_martians=0";
	judge(&bench);
	expect(&bench, "sysctl.kernel.kptr_restrict", VERDICT_FAIL,
	       "0, wanted 1 or more: the kernel's default; the kernel refuses \"9\" of "
	       "/etc/sysctl.d/99-x.conf:3");
	expect_fix(&bench, "sysctl.kernel.kptr_restrict",
	           "sed -i '3s/^/#/' /etc/sysctl.d/99-x.conf && "
	           "echo 'kernel.kptr_restrict = 1' >> /etc/sysctl.d/60-image.conf");
	expect(&bench, "sysctl.net.ipv4.conf.all.accept_redirects", VERDICT_FAIL,
	       "1, wanted 0: set by /etc/sysctl.d/10-router.conf; turning ip_forward off turns "
	       "accept_redirects on");
	expect_fix(&bench, "sysctl.net.ipv4.conf.all.accept_redirects",
	           "echo 'net.ipv4.conf.all.accept_redirects = 0' >> /etc/sysctl.d/60-image.conf");
	expect_fix(&bench, "sysctl.net.ipv4.ip_forward",
	           "echo 'net.ipv4.ip_forward = 0' >> /etc/sysctl.d/zz-router.conf-image.conf");
	expect_fix(&bench, "sysctl.net.ipv4.conf.all.log_martians",
	           "sed -i '1s|.*|net.ipv4.conf.all.log_martians = 1|' /etc/sysctl.d/10-a.conf");
	bench_close(&bench);
}

static void judges_sysctls_by_their_value_at_boot(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	add_sysctl(&bench, "kernel.kptr_restrict", "0", SYSCTL_KERNEL_DEFAULT, NULL, 0);
	add_sysctl(&bench, "kernel.yama.ptrace_scope", "2", SYSCTL_FILE, "/etc/sysctl.d/10-ptrace.conf", 3);
	add_sysctl(&bench, "kernel.perf_event_paranoid", "3", SYSCTL_KERNEL_DEFAULT, NULL, 0);
	add_sysctl(&bench, "net.ipv4.tcp_syncookies", "2", SYSCTL_FILE, "/etc/sysctl.d/a.conf", 1);
	add_sysctl(&bench, "net.ipv4.ip_forward", "1", SYSCTL_FILE, "/etc/sysctl.d/99-docker.conf", 7);
	add_sysctl(&bench, "net.ipv4.conf.default.rp_filter", "2", SYSCTL_FILE,
	           "/usr/lib/sysctl.d/50-default.conf", 26);
	struct sysctl *all = add_sysctl(&bench, "net.ipv4.conf.all.rp_filter", "1", SYSCTL_FILE,
	                                "/etc/sysctl.d/60-gce-network-security.conf", 12);
	all->effective = "2";
	all->effective_place.path = "/usr/lib/sysctl.d/50-default.conf";
	all->reason = "an interface (eth0) ends up with 2: the larger counts";
	add_sysctl(&bench, "kernel.randomize_va_space", "0x2", SYSCTL_COMMAND_LINE, "/boot/grub/grub.cfg",
	           142);
	add_sysctl(&bench, "fs.protected_hardlinks", NULL, SYSCTL_UNKNOWN, NULL, 0)->reason =
		"no default is known for this vendor";
	add_sysctl(&bench, "fs.protected_symlinks", "yes", SYSCTL_FILE, "/etc/sysctl.d/x.conf", 1);
	add_sysctl(&bench, "net.ipv4.conf.all.log_martians", "0", SYSCTL_FILE,
	           "/usr/lib/sysctl.d/90-vendor.conf", 1);
	judge(&bench);
	expect(&bench, "sysctl.kernel.kptr_restrict", VERDICT_FAIL,
	       "0, wanted 1 or more: the kernel's default, which nothing changes");
	expect_found(&bench, "sysctl.kernel.kptr_restrict", "0", false);
	expect_fix(&bench, "sysctl.kernel.kptr_restrict",
	           "echo 'kernel.kptr_restrict = 1' >> /etc/sysctl.d/60-image.conf");
	expect(&bench, "sysctl.kernel.yama.ptrace_scope", VERDICT_PASS,
	       "2: set by /etc/sysctl.d/10-ptrace.conf");
	expect_found(&bench, "sysctl.kernel.yama.ptrace_scope", "2", true);
	expect_found(&bench, "sysctl.kernel.perf_event_paranoid", "3", true);
	expect(&bench, "sysctl.net.ipv4.tcp_syncookies", VERDICT_PASS,
	       "2: set by /etc/sysctl.d/a.conf; 2 sends cookies always, a mode meant for tests");
	expect(&bench, "sysctl.net.ipv4.ip_forward", VERDICT_FAIL,
	       "1, wanted 0: set by /etc/sysctl.d/99-docker.conf");
	expect_fix(&bench, "sysctl.net.ipv4.ip_forward",
	           "sed -i '7s|.*|net.ipv4.ip_forward = 0|' /etc/sysctl.d/99-docker.conf");
	expect(&bench, "sysctl.net.ipv4.conf.default.rp_filter", VERDICT_FAIL,
	       "2, wanted 1: set by /usr/lib/sysctl.d/50-default.conf; 2 is loose mode, weaker than the "
	       "strict "
	       "mode that is asked");
	expect_fix(&bench, "sysctl.net.ipv4.conf.default.rp_filter",
	           "echo 'net.ipv4.conf.default.rp_filter = 1' >> /etc/sysctl.d/60-image.conf");
	expect(&bench, "sysctl.net.ipv4.conf.all.rp_filter", VERDICT_PASS,
	       "1: set by /etc/sysctl.d/60-gce-network-security.conf; an interface (eth0) ends up with 2: "
	       "the "
	       "larger counts");
	/* The literal key is met, and who reads that is told of the interface all the same. */
	expect(&bench, "guest.rp-filter", VERDICT_FAIL,
	       "an interface ends up with 2, wanted 1: set by /usr/lib/sysctl.d/50-default.conf; 2 is loose "
	       "mode, weaker than the strict mode that is asked");
	expect_fix(&bench, "guest.rp-filter",
	           "echo 'net.ipv4.conf.*.rp_filter = 1' >> /etc/sysctl.d/60-image.conf");
	expect(&bench, "sysctl.kernel.randomize_va_space", VERDICT_PASS,
	       "0x2: set on the kernel's command line");
	expect(&bench, "sysctl.fs.protected_hardlinks", VERDICT_UNKNOWN,
	       "fs.protected_hardlinks: no default is known for this vendor");
	expect(&bench, "sysctl.fs.protected_symlinks", VERDICT_UNKNOWN,
	       "\"yes\" is no number: the kernel refuses it, and what it keeps is not known");
	expect_fix(&bench, "sysctl.net.ipv4.conf.all.log_martians",
	           "echo 'net.ipv4.conf.all.log_martians = 1' >> /etc/sysctl.d/99-zz-image.conf");
	expect(&bench, "sysctl.net.ipv4.icmp_echo_ignore_broadcasts", VERDICT_UNKNOWN,
	       "net.ipv4.icmp_echo_ignore_broadcasts: its value at boot is not known");
	bench_close(&bench);
}

static void fails_keys_that_the_kernel_lacks(void **state)
{
	(void)state;
	struct bench bench;
	open_stock(&bench, "debian-12-cloud-amd64", "6.1.0-50-cloud-amd64");
	add_sysctl(&bench, "net.ipv4.tcp_syncookies", NULL, SYSCTL_ABSENT, NULL, 0)->reason =
		"CONFIG_SYN_COOKIES is not set";
	judge(&bench);
	expect(&bench, "sysctl.net.ipv4.tcp_syncookies", VERDICT_FAIL,
	       "this kernel has no key net.ipv4.tcp_syncookies: CONFIG_SYN_COOKIES is not set");
	expect_found(&bench, "sysctl.net.ipv4.tcp_syncookies", "absent", false);
	expect_fix(&bench, "sysctl.net.ipv4.tcp_syncookies",
	           "scripts/config --enable SYN_COOKIES && make olddefconfig, then build and install the "
	           "kernel");
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_sysctls_of_files_without_a_kernel),
		cmocka_unit_test(names_what_stands_in_a_sysctls_way),
		cmocka_unit_test(judges_sysctls_by_their_value_at_boot),
		cmocka_unit_test(fails_keys_that_the_kernel_lacks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
