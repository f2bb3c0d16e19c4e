// The policy file: what is built in, and what a user is told about each mistake.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "policy/policy.h"

#define RULE "[a.b]\nTitle=T\nLevel=advice\n"

static void expect_error(const char *text, const char *message)
{
	struct policy policy;
	struct error error = { 0 };
	if (policy_parse(span_text(text), "own.conf", &policy, &error))
		fail_msg("no complaint about:\n%s", text);
	assert_string_equal(error.message, message);
}

static struct policy parse(const char *text)
{
	struct policy policy;
	struct error error = { 0 };
	if (!policy_parse(span_text(text), "own.conf", &policy, &error))
		fail_msg("%s", error.message);
	return policy;
}

static struct policy builtin(void)
{
	struct policy policy;
	struct error error = { 0 };
	if (!policy_builtin(&policy, &error))
		fail_msg("%s", error.message);
	return policy;
}

/* tests/golden/requirements.txt: every id with its level, in the order of the page. */
static void has_every_requirement_in_order(void **state)
{
	(void)state;
	struct policy policy = builtin();
	assert_string_equal(policy.name, "gce");
	assert_string_equal(policy.revision, "2026-11");
	FILE *list = fopen(SOURCE_ROOT "/tests/golden/requirements.txt", "re");
	assert_non_null(list);
	char line[256];
	size_t count = 0;
	while (fgets(line, sizeof(line), list)) {
		line[strcspn(line, "\n")] = 0;
		char *tab = strchr(line, '\t');
		assert_non_null(tab);
		*tab = 0;
		assert_true(count < policy.rules.count);
		const struct rule *rule = &policy.rules.items[count++];
		assert_string_equal(rule->id, line);
		assert_string_equal(level_names[rule->level], tab + 1);
		assert_int_equal(strncmp(rule->id, rule->section, strlen(rule->section)), 0);
		assert_ptr_equal(policy_rule(&policy, line), rule);
	}
	fclose(list);
	assert_int_equal(count, 87);
	assert_int_equal(policy.rules.count, 87);
	policy_free(&policy);
}

static void explains_every_rule(void **state)
{
	(void)state;
	struct policy policy = builtin();
	for (size_t i = 0; i < policy.rules.count; i++) {
		const struct rule *rule = &policy.rules.items[i];
		if (!rule->why || !*rule->why || !rule->wanted || !*rule->wanted)
			fail_msg("%s lacks Why= or a wanted value", rule->id);
	}
	policy_free(&policy);
}

static bool asks(const struct names *names, const char *name)
{
	size_t found = 0;
	for (size_t i = 0; i < names->count; i++)
		found += str_equal(names->items[i], name);
	assert_true(found <= 1);
	return found == 1;
}

static void asks_for_what_it_judges(void **state)
{
	(void)state;
	struct policy policy = builtin();
	struct arena arena = { 0 };
	struct questions questions;
	policy_questions(&policy, &arena, &questions);
	static const char *const symbols[] = {
		"SCSI_VIRTIO", "KVM_CLOCK", "KVM_GUEST", "STRICT_KERNEL_RWX",         "STACKPROTECTOR_STRONG",
		"DEVMEM",      "MODULES",   "LSM",       "SERIAL_8250_RUNTIME_UARTS", "IDPF",
		"X86_64",      "CMDLINE",   "RD_ZSTD"
	};
	static const char *const modules[] = { "virtio_scsi", "virtio_pci", "sd_mod",
		                               "virtio_net",  "gve",        "nvme" };
	static const char *const sysctls[] = { "kernel.kptr_restrict", "vm.mmap_min_addr",
		                               "net.ipv4.conf.default.rp_filter" };
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++)
		assert_true(asks(&questions.symbols, symbols[i]));
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		assert_true(asks(&questions.modules, modules[i]));
	/* What may come from the root file system is no reason to unpack an initramfs. */
	assert_true(asks(&questions.early_modules, "virtio_scsi"));
	assert_false(asks(&questions.early_modules, "gve"));
	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++)
		assert_true(asks(&questions.sysctls, sysctls[i]));
	assert_int_equal(questions.sysctls.count, 23);
	arena_free(&arena);
	policy_free(&policy);
}

static void joins_continuation_lines(void **state)
{
	(void)state;
	struct policy policy =
		parse("# a comment\n\n[a.b]\nTitle=one\n  two\n\tthree ; not this\nLevel=advice\n"
	              "Kconfig=A B>=4\n  C=n\nFix=x\nHistory=h\nWhy=w\n");
	const struct rule *rule = policy_rule(&policy, "a.b");
	assert_non_null(rule);
	assert_string_equal(rule->title, "one two three");
	assert_string_equal(rule->wanted, "A=y, B=4 or more, C=n");
	assert_string_equal(rule->why, "w");
	assert_string_equal(rule->history, "h");
	assert_string_equal(rule->fix, "x");
	assert_int_equal(rule->level, LEVEL_ADVICE);
	assert_int_equal(rule->line, 3);
	assert_null(policy_rule(&policy, "a.c"));
	policy_free(&policy);
}

static void says_what_is_wanted(void **state)
{
	(void)state;
	struct policy policy = parse("[s.a]\nTitle=T\nLevel=advice\nSysctl=a.b\nWant=1\nAccept=2,3\n"
	                             "[s.b]\nTitle=T\nLevel=advice\nSysctl=a.c\nWant=>=1\n"
	                             "[s.c]\nTitle=T\nLevel=required\nKconfig=X>=65536\n"
	                             "[s.d]\nTitle=T\nLevel=required\nKconfig=X\nWant=n\nWanted=nothing\n");
	assert_string_equal(policy.rules.items[0].wanted, "1 or 2 or 3");
	assert_string_equal(policy.rules.items[1].wanted, "1 or more");
	assert_string_equal(policy.rules.items[2].wanted, "65536 or more");
	assert_string_equal(policy.rules.items[3].wanted, "nothing");
	assert_string_equal(policy.name, "own.conf");
	policy_free(&policy);
}

static void names_the_line_of_a_broken_file(void **state)
{
	(void)state;
	expect_error("", "own.conf: the policy has no rule; add a section such as [kernel.kvm-guest]");
	expect_error("Title=T\n", "own.conf:1: \"Title\" stands in front of the first section; begin with "
	                          "[policy] or a rule");
	expect_error("[a.b\n", "own.conf:1: the section's name has no ']' behind it; add it");
	expect_error("[a.b] x\n",
	             "own.conf:1: there is text behind the section's ']'; put it on a line of its own");
	expect_error("[a.b]\nTitle=T\nwhat\n", "own.conf:3: expected Key=value, [section] or a comment");
	expect_error("[a.b]\nTitle=T\n[a.b]\n",
	             "own.conf:3: section [a.b] is there twice, first in line 1; keep one of them");
	expect_error("  [a.b]\n  Title=T\n  [a.c]\n",
	             "own.conf:3: the section is indented, which makes it a part of the value above; put it "
	             "at the line's beginning");
	expect_error("[a.b]\nTitle=T\n\nTitle=U\n",
	             "own.conf:4: \"Title\" is set twice in [a.b], first in line 2; keep one of them");
	expect_error("[policy]\nVersion=1\n",
	             "own.conf:2: there is no key \"Version\" in [policy]; write Name= or Revision=");
}

static void refuses_what_inih_would_cut(void **state)
{
	(void)state;
	char text[400] = "[a.b]\nTitle=";
	size_t start = strlen(text);
	memset(text + start, 'x', 250);
	text[start + 250] = 0;
	expect_error(text,
	             "own.conf:2: the line is longer than 198 bytes; break it with an indented continuation");

	struct policy policy;
	struct error error;
	const char zero[] = "[a.b]\nTitle=a\0b\n";
	assert_false(policy_parse(span_of(zero, sizeof(zero) - 1), "own.conf", &policy, &error));
	assert_string_equal(error.message, "own.conf:2: the line holds a NUL byte; a policy is plain text");
}

static void takes_ids_that_inih_would_cut(void **state)
{
	(void)state;
	struct policy policy =
		parse("[sysctl.net.ipv4.conf.default.a_key_with_a_very_long_name_indeed]\nTitle=T\n"
	              "Level=advice\nSysctl=a.b\nWant=1\n");
	assert_non_null(
		policy_rule(&policy, "sysctl.net.ipv4.conf.default.a_key_with_a_very_long_name_indeed"));
	policy_free(&policy);
}

static void names_what_a_rule_lacks(void **state)
{
	(void)state;
	expect_error("[a.b]\nLevel=advice\nKconfig=A\n",
	             "own.conf:1: [a.b] has no Title=; add one line that says what is asked");
	expect_error("\n[a.b]\nTitle=T\nKconfig=A\n",
	             "own.conf:2: [a.b] has no Level=; add required, recommended or advice");
	expect_error(
		RULE,
		"own.conf:1: [a.b] does not say how it is judged; add Kconfig=, Sysctl=, Observe= or Check=");
	expect_error(RULE "Sysctl=a.b\n", "own.conf:1: [a.b] has no Want=; add the value that is asked");
	expect_error(RULE "Kconfig=A\nSysctl=a.b\n",
	             "own.conf:5: [a.b] has both Kconfig= and Sysctl=; keep one, or make two rules");
	expect_error("[ab]\nTitle=T\nLevel=advice\nKconfig=A\n",
	             "own.conf:1: [ab] is no rule id; write a section and a name, as in kernel.virtio-scsi");
	expect_error("[a.b]\nTitle=T\nLevel=must\nKconfig=A\n",
	             "own.conf:3: Level=must is none; write required, recommended or advice");
}

static void names_bad_keys(void **state)
{
	(void)state;
	expect_error(RULE "Kconfig=A\nWnat=y\n",
	             "own.conf:5: there is no key \"Wnat\"; slipway-policy(5) lists them");
	expect_error(RULE "Sysctl=a.b\nWant=1\nModule=x\n",
	             "own.conf:6: Module= means nothing in a rule with Sysctl=; remove it");
	expect_error(
		"[feature.X]\nTitle=T\nLevel=advice\nKconfig=A\n[a.b]\nTitle=T\nLevel=advice\nKconfig=A\n",
		"own.conf:3: Level= means nothing in a rule with Kconfig=; remove it");
}

static void names_bad_values(void **state)
{
	(void)state;
	static const struct {
		const char *lines, *message;
	} cases[] = {
		{ "Kconfig=\n", "own.conf:4: Kconfig= names no symbol; write one, as in SCSI_VIRTIO" },
		{ "Kconfig=CONFIG_A\n", "own.conf:4: write CONFIG_A without CONFIG_" },
		{ "Kconfig=A-B\n",
		  "own.conf:4: \"A-B\" is no configuration symbol; write as in SCSI_VIRTIO" },
		{ "Kconfig=A>=x\n",
		  "own.conf:4: \"A>=x\" compares with nothing; write SYMBOL=VALUE or SYMBOL>=NUMBER" },
		{ "Kconfig=A\nWant=>=\n",
		  "own.conf:5: Want=>= is no value; write y, n, a value or >=NUMBER" },
		{ "Kconfig=A\nModule=virtio-scsi\n",
		  "own.conf:5: \"virtio-scsi\" is no module name; write it with '_', as in virtio_scsi" },
		{ "Kconfig=A\nModuleFrom=disk\n",
		  "own.conf:5: ModuleFrom=disk is no place; write initramfs or root" },
		{ "Kconfig=A\nArch=amd64\n",
		  "own.conf:5: \"amd64\" is no architecture; write x86_64, i386 or arm64" },
		{ "Kconfig=A\nStopsOn=arm\n",
		  "own.conf:5: \"arm\" is no architecture; write x86_64, i386 or arm64" },
		{ "Kconfig=A\nDecides=all\n",
		  "own.conf:5: Decides=all means nothing; write Decides=boot or no such line" },
		{ "Kconfig=A\nProvedBy=me\n",
		  "own.conf:5: ProvedBy=me means nothing; write ProvedBy=boot or no such line" },
		{ "Kconfig=A\nSince=B 4.11\n",
		  "own.conf:5: Since= wants a kernel version and a symbol, as in 4.11 STRICT_KERNEL_RWX" },
		{ "Kconfig=A\nSince=4.11 B, 4.2 C\n",
		  "own.conf:5: Since= wants the older version first; put 4.2 before 4.11" },
		{ "Kconfig=A B\nSince=4.11 C\n",
		  "own.conf:5: Since= needs a rule with a single symbol; make two rules" },
		{ "Kconfig=A\nRemoved=5.13 B\n",
		  "own.conf:5: Removed= wants a kernel version and, if not all are meant, one of the rule's "
		  "symbols, as in 5.13 DEVKMEM" },
		{ "Kconfig=A\nAdded=now\n", "own.conf:5: Added= wants a kernel version and, if not all are "
		                            "meant, one of the rule's symbols, "
		                            "as in 5.13 DEVKMEM" },
		{ "Kconfig=A\nOnlyWith=\n",
		  "own.conf:5: OnlyWith= is no configuration symbol; write one, as in MODULES" },
		{ "Kconfig=A\nLsm=a,b\n",
		  "own.conf:5: Lsm=a,b is no security module; write one, as in yama" },
		{ "Kconfig=A\nDefeatedBy=a=\n",
		  "own.conf:5: \"a=\" is no kernel parameter; write as in norandmaps or rodata=off" },
		{ "Kconfig=A\nOverriddenBy=A file x\n", "own.conf:5: OverriddenBy= wants one of the rule's "
		                                        "symbols, then sysctl KEY or parameter NAME" },
		{ "Sysctl=net/ipv4\nWant=1\n",
		  "own.conf:4: Sysctl=net/ipv4 is no key; write one with dots, as in kernel.kptr_restrict" },
		{ "Sysctl=a.b\nWant=1\nAccept=2 >=\n",
		  "own.conf:6: Accept= holds \">=\"; write values or >=NUMBER" },
		{ "Kconfig=A\nLive=usb id=1\n",
		  "own.conf:5: there is no live check \"usb\"; slipway-policy(5) lists them" },
		{ "Kconfig=A\nLive=serial-port port=ttyS0 irq=4 speed=9600\n",
		  "own.conf:5: Live=serial-port takes port irq, not \"speed=9600\"" },
		{ "Kconfig=A\nLive=serial-ports count=four\n",
		  "own.conf:5: \"count=four\" is no value for Live=serial-ports; write count=VALUE, once" },
		{ "Kconfig=A\nRan=net-tso6\n",
		  "own.conf:5: there is no proof \"net-tso6\"; slipway-policy(5) lists them" },
		{ "Kconfig=A\nRan=\n", "own.conf:5: Ran= names no proof; write one, as in scsi-driven" },
		{ "Kconfig=A\nRan=root\nRanPass=root\n",
		  "own.conf:6: [a.b] has both Ran= and RanPass=; keep one" },
		{ "Kconfig=A\nSymptom=Panic!\n",
		  "own.conf:5: \"Panic!\" is no symptom; write one, as in kernel-panic" },
		{ "Kconfig=A\nLive=pci revision=03\n", "own.conf:5: Live=pci wants id=VALUE as well" },
		{ "Sysctl=a.b\nWant=1\nEffective=yes\n",
		  "own.conf:6: Effective=yes means nothing; write note, judge or only" },
		{ "Observe=a b\nWant=absent\n",
		  "own.conf:4: Observe= wants one observation, as in guest.irqbalance" },
		{ "Check=magic\n",
		  "own.conf:4: there is no built-in check \"magic\"; slipway-policy(5) lists them" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(text_free) struct text text = { 0 };
		text_printf(&text, RULE "%s", cases[i].lines);
		expect_error(text_get(&text), cases[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_every_requirement_in_order),
		cmocka_unit_test(explains_every_rule),
		cmocka_unit_test(asks_for_what_it_judges),
		cmocka_unit_test(joins_continuation_lines),
		cmocka_unit_test(says_what_is_wanted),
		cmocka_unit_test(names_the_line_of_a_broken_file),
		cmocka_unit_test(refuses_what_inih_would_cut),
		cmocka_unit_test(takes_ids_that_inih_would_cut),
		cmocka_unit_test(names_what_a_rule_lacks),
		cmocka_unit_test(names_bad_keys),
		cmocka_unit_test(names_bad_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
