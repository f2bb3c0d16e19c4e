// What runs on a running machine: its sysctls, its interfaces, its identity.

#include "live_bench.h"

#include "live/ethtool.h"

static void words_of_an_interface_are_found(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	const char *on = NULL, *off = "";
	ethtool_find("eth0 a -b c\neth01 d\n", "eth0", &arena, &on, &off);
	assert_string_equal(on, "a c");
	assert_string_equal(off, "b");
	on = NULL;
	ethtool_find("eth01 d\n", "eth0", &arena, &on, &off);
	assert_null(on);
	ethtool_find(NULL, "eth0", &arena, &on, &off);
	assert_null(on);
	arena_free(&arena);
}

static void the_kernel_answers_here(void **state)
{
	(void)state;
	struct machine_answers answers;
	machine_ask(&answers);
	assert_non_null(answers.release);
	assert_non_null(answers.hardware);
	machine_answers_free(&answers);
	assert_null(answers.release);
}

static const struct sysctl *running(const struct kernel *kernel, const char *key)
{
	for (size_t i = 0; i < kernel->sysctls.count; i++)
		if (str_equal(kernel->sysctls.items[i].key, key))
			return &kernel->sysctls.items[i];
	fail_msg("no %s", key);
	return NULL;
}

static void sysctls_are_what_they_are(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	struct memory_fs *files = &bench.files;
	memory_file(files, "/proc/sys/kernel/osrelease", "6.1.0\n");
	memory_file(files, "/proc/sys/kernel/kptr_restrict", "1\n");
	memory_file(files, "/proc/sys/net/ipv4/ip_forward", "1\n");
	memory_file(files, "/proc/sys/net/ipv4/conf/all/rp_filter", "1\n");
	memory_file(files, "/proc/sys/net/ipv4/conf/default/rp_filter", "1\n");
	memory_file(files, "/proc/sys/net/ipv4/conf/lo/rp_filter", "0\n");
	memory_file(files, "/proc/sys/net/ipv4/conf/docker0/rp_filter", "2\n");
	memory_file(files, "/proc/sys/net/ipv4/conf/ens4/rp_filter", "0\n");
	memory_file(files, "/proc/sys/net/ipv4/conf/ens5/rp_filter", "2\n");
	memory_directory(files, "/sys/class/net/ens4/device");
	memory_directory(files, "/sys/class/net/ens5/device");
	memory_file(files, "/etc/sysctl.d/50-a.conf", "kernel.kptr_restrict=1\nkernel.kptr_restrict=0\n");
	const char *keys[] = { "kernel.kptr_restrict", "net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter",
		               "kernel.yama.ptrace_scope" };
	const struct names asked = { keys, ARRAY_SIZE(keys) };
	struct tree tree = memory_tree(files);
	struct kernel kernel = { .version = "6.1.0" };
	const struct sysctl_system system = {
		.tree = &tree, .applier = SYSCTL_APPLIER_SYSTEMD, .command_line = "", .kernel = &kernel
	};
	sysctl_read_running(&system, &asked, &bench.budget, &bench.arena, &kernel);
	const struct sysctl *kptr = running(&kernel, "kernel.kptr_restrict");
	assert_int_equal(kptr->source, SYSCTL_RUNNING);
	assert_string_equal(kptr->value, "1");
	assert_string_equal(kptr->place.path, "/proc/sys/kernel/kptr_restrict");
	assert_string_equal(kptr->reason, "/etc/sysctl.d/50-a.conf:2 sets 0 at the next boot");
	assert_int_equal(kptr->boot_place.line, 2);
	assert_string_equal(running(&kernel, "net.ipv4.ip_forward")->reason,
	                    "no file sets it: at the next boot it starts as 0");
	assert_int_equal(running(&kernel, "kernel.yama.ptrace_scope")->source, SYSCTL_ABSENT);
	/* Of docker0, which has no device, nothing is said. */
	assert_int_equal(kernel.sysctls.count, 6);
	assert_string_equal(running(&kernel, "net.ipv4.conf.ens5.rp_filter")->effective, "2");
	bench_close(&bench);
}

static void interfaces_are_judged_by_the_weakest(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	read_machine(&bench);
	judge_as(&bench, "x86_64", config);
	struct kernel *kernel = &bench.facts.kernels.items[0];
	static const char *const rows[][3] = {
		{ "net.ipv4.conf.all.rp_filter", "1", "1" },
		{ "net.ipv4.conf.ens4.rp_filter", "0", "1" },
		{ "net.ipv4.conf.ens5.rp_filter", "2", "2" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sysctl *row = LIST_ADD(&bench.arena, &kernel->sysctls);
		*row = (struct sysctl){ .key = rows[i][0],
			                .value = rows[i][1],
			                .effective = rows[i][2],
			                .source = SYSCTL_RUNNING,
			                .reason = "",
			                .place.path = "/proc/sys/x",
			                .effective_place.path = "/proc/sys/x" };
	}
	policy_judge(&bench.policy, &bench.facts, &bench.arena, &bench.judgement);
	expect(&bench, "sysctl.net.ipv4.conf.all.rp_filter", VERDICT_PASS, "live", "1: as it stands");
	const struct finding *finding = finding_of(&bench, "guest.rp-filter");
	assert_int_equal(finding->verdict, VERDICT_FAIL);
	assert_string_equal(finding->found, "2");
	assert_string_equal(finding->how, "live");
	assert_string_equal(finding->fix,
	                    "echo 'net.ipv4.conf.*.rp_filter = 1' >> /etc/sysctl.d/60-image.conf");
	kernel->sysctls.count = 2;
	policy_judge(&bench.policy, &bench.facts, &bench.arena, &bench.judgement);
	assert_int_equal(finding_of(&bench, "guest.rp-filter")->verdict, VERDICT_PASS);
	bench_close(&bench);
}

static void a_running_machine_may_have_an_identity(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	judge(&bench);
	assert_int_equal(finding_of(&bench, "guest.machine-id")->verdict, VERDICT_NOT_APPLICABLE);
	assert_int_equal(finding_of(&bench, "guest.host-keys")->verdict, VERDICT_NOT_APPLICABLE);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_an_interface_are_found),
		cmocka_unit_test(the_kernel_answers_here),
		cmocka_unit_test(sysctls_are_what_they_are),
		cmocka_unit_test(interfaces_are_judged_by_the_weakest),
		cmocka_unit_test(a_running_machine_may_have_an_identity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
