// Which QEMU there is: the real one, and programs in its place that have less, say nonsense, hang or end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "machine/kvm_probe.h"
#include "machine/loop.h"
#include "machine/ovmf.h"
#include "machine/qemu.h"
#include "machine/qemu_ask.h"
#include "machine/tcg_probe.h"
#include "tools.h"

static char folder[] = "/tmp/slipway-qemu-XXXXXX";
static struct arena arena;

/* A QEMU that says these lines on its QMP socket, whose number it finds in its words. */
static void write_fake(const char *name, const char *script)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file,
	        "#!/bin/bash\n"
	        "for word; do case $word in *id=qmp,fd=*) socket=${word##*fd=} ;; esac; done\n"
	        "%s\n",
	        script);
	fclose(file);
	assert_int_equal(chmod(path, 0755), 0);
}

#define GREETING                                                                                             \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, \"major\": 7}}, \"capabilities\": " \
	"[]}}\n{\"return\": {}}\n"
#define TYPES(names)    "{\"return\": [" names "], \"id\": \"accelerators\"}\n"
#define TCG             "{\"name\": \"tcg-accel\"}"
#define REPLY(id, list) "{\"return\": [" list "], \"id\": \"" id "\"}\n"
#define NAME(name)      "{\"name\": \"" name "\", \"type\": \"any\"}"
#define SAYS(lines)     "cat >&$socket <<'END'\n" lines "END"

/* What no machine can be without. */
#define NET    REPLY("virtio-net-pci", NAME("mac") "," NAME("disable-modern"))
#define SCSI   REPLY("virtio-scsi-pci", NAME("num_queues") "," NAME("disable-modern"))
#define DISK   REPLY("scsi-hd", NAME("physical_block_size"))
#define SERIAL REPLY("isa-serial", NAME("irq"))
#define LEAST  GREETING TYPES(TCG) REPLY("machine", NAME("acpi")) NET SCSI DISK SERIAL

static bool find(struct qemu *out, struct error *error)
{
	bool found = qemu_find("x86_64", &arena, out, error);
	if (found)
		error_clear(error);
	return found;
}

static bool is_limited(const struct qemu *qemu, const char *part)
{
	for (size_t i = 0; i < qemu->limits.count; i++)
		if (strstr(qemu->limits.items[i], part))
			return true;
	return false;
}

static void the_real_one(void **state)
{
	(void)state;
	struct qemu qemu;
	struct error error;
	char *path = strdup(getenv("PATH"));
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
	bool found = find(&qemu, &error);
	setenv("PATH", path, 1);
	free(path);
	if (!found) {
		print_message("%s\n", error.message);
		assert_int_equal(error.code, ERROR_NOT_FOUND);
		skip();
	}
	assert_int_equal(qemu.program[0], '/');
	if (qemu.accelerator == QEMU_TCG)
		assert_int_not_equal(tcg_probe(qemu.program, &arena), ANSWER_UNKNOWN);
	assert_true(qemu.version[0] >= '1' && qemu.version[0] <= '9');
	assert_string_equal(qemu.arch, "x86_64");
	assert_true(qemu.is_reference);
	assert_int_equal(qemu.accelerator == QEMU_KVM, qemu.accelerator_reason == NULL);
	assert_int_equal(is_limited(&qemu, "kvm-clock"), qemu.accelerator == QEMU_TCG);
	assert_true(qemu.accelerator == QEMU_KVM || is_limited(&qemu, qemu.accelerator_reason));
	assert_int_equal(is_limited(&qemu, "PIIX3"), !qemu.piix4_isa);
	assert_true(is_limited(&qemu, "revision 00") && is_limited(&qemu, "IDE") &&
	            is_limited(&qemu, "INQUIRY"));
}

static void none(void **state)
{
	(void)state;
	struct qemu qemu;
	struct error error;
	unlink(arena_printf(&arena, "%s/qemu-system-x86_64", folder));
	setenv("PATH", folder, 1);
	assert_false(find(&qemu, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_string_equal(
		error.message,
		"qemu-system-x86_64 is not in PATH: install QEMU (Debian, Ubuntu: qemu-system-x86; "
		"Fedora: qemu-system-x86-core; Alpine: qemu-system-x86_64)");
	assert_false(qemu_find("riscv64", &arena, &qemu, &error));
	assert_int_equal(error.code, ERROR_UNSUPPORTED);
}

/* The least that is a machine: everything that it lacks is named. */
static void the_least(void **state)
{
	(void)state;
	struct qemu qemu;
	struct error error;
	write_fake("qemu-system-x86_64", SAYS(LEAST));
	if (!find(&qemu, &error))
		fail_msg("%s", error.message);
	assert_string_equal(qemu.version, "7.2.0");
	assert_string_equal(qemu.program, arena_printf(&arena, "%s/qemu-system-x86_64", folder));
	assert_true(qemu.is_reference);
	assert_false(qemu.piix4_isa || qemu.has.sandbox || qemu.has.user_network || qemu.has.hpet ||
	             qemu.has.rng || qemu.has.scsi_version || qemu.has.hotplug || qemu.has.floppy_irq);
	assert_int_equal(qemu.accelerator, QEMU_TCG);
	assert_string_equal(qemu.accelerator_reason, "this QEMU was built without KVM");
	assert_true(is_limited(&qemu, "PIIX3") && is_limited(&qemu, "ttyS2") &&
	            is_limited(&qemu, "virtio-rng") && is_limited(&qemu, "SPC-4") &&
	            is_limited(&qemu, "hot-plug") && is_limited(&qemu, "kvm-clock"));
}

/* Its guest asked for a reset: the flags were wrong. */
static void one_that_computes_wrong(void **state)
{
	(void)state;
	struct qemu qemu;
	struct error error;
	write_fake("qemu-system-x86_64",
	           SAYS(LEAST "{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-reset\"}}\n"));
	assert_true(find(&qemu, &error));
	assert_true(qemu.no_cx16 && is_limited(&qemu, "cmpxchg16b"));
	write_fake("qemu-system-x86_64",
	           SAYS(LEAST "{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-shutdown\"}}\n"));
	assert_true(find(&qemu, &error));
	assert_false(qemu.no_cx16 || is_limited(&qemu, "cmpxchg16b"));
}

static void a_newer_one(void **state)
{
	(void)state;
	struct qemu qemu;
	struct error error;
	write_fake("qemu-system-x86_64",
	           SAYS(GREETING TYPES(TCG) REPLY("machine", NAME("x-south-bridge") "," NAME("hpet"))
	                        NET REPLY("virtio-scsi-pci",
	                                  NAME("num_queues") "," NAME("disable-modern") "," NAME("hotplug"))
	                                DISK SERIAL REPLY("virtio-rng-pci", "")
	                                        REPLY("options", "{\"option\": \"sandbox\", \"parameters\": "
	                                                         "[]}") "{\"return\": {}, \"id\": "
	                                                                "\"user-network\"}\n"));
	if (!find(&qemu, &error))
		fail_msg("%s", error.message);
	assert_true(qemu.piix4_isa && qemu.has.hpet && qemu.has.hotplug && qemu.has.rng && qemu.has.sandbox &&
	            qemu.has.user_network);
	assert_false(qemu.has.vmport || qemu.has.param_change);
	assert_false(is_limited(&qemu, "PIIX3") || is_limited(&qemu, "hot-plug"));
}

static void refuses(const char *script, const char *wanted)
{
	struct qemu qemu;
	struct error error = { 0 };
	write_fake("qemu-system-x86_64", script);
	assert_false(find(&qemu, &error));
	assert_int_equal(error.code, ERROR_UNSUPPORTED);
	if (!strstr(error.message, wanted))
		fail_msg("'%s' is not in: %s", wanted, error.message);
	assert_non_null(strstr(error.message, folder));
}

static void what_will_not_do(void **state)
{
	(void)state;
	refuses(SAYS(GREETING TYPES(TCG) REPLY("machine", "") NET SCSI SERIAL), "has no scsi-hd: install");
	refuses(SAYS(GREETING TYPES(TCG) REPLY("machine", "") SCSI DISK SERIAL),
	        "has no virtio-net-pci: install");
	refuses(SAYS(GREETING TYPES(TCG) REPLY("machine", "")
	                     NET DISK SERIAL REPLY("virtio-scsi-pci", NAME("num_queues"))),
	        "has no disable-modern: it is too old");
	refuses(SAYS(GREETING TYPES("") REPLY("machine", "") NET SCSI DISK SERIAL),
	        "without emulation (TCG), and there is no KVM for it: this QEMU was built without KVM");
}

/* It ends, in all manners; and says so, in its own words made printable. */
static void those_that_end(void **state)
{
	(void)state;
	refuses("exit 0", "does not start the machine 'pc': it ended without a word");
	refuses("echo \"qemu: could not load PC BIOS 'bios-256k.bin'\" >&2; exit 1",
	        "does not start the machine 'pc': qemu: could not load PC BIOS 'bios-256k.bin'");
	refuses("printf 'two\\nlines \\033[1m' >&2; exit 1", "two lines \\x1b[1m");
	refuses("kill -SEGV $$", "it ended without a word");
	refuses(SAYS(GREETING), "it ended without a word");
	refuses(SAYS("{\"QMP\": [\n\n\x01{}\n[[[[\n\"text\"\n{\"id\": 5, \"return\": 7}\n{\"id\": "
	             "\"machine\"}\n"),
	        "it ended without a word");
	refuses("yes | head -c 5000000 >&$socket", "says more than 4 MiB");
}

/* It does not start for want of what the host has: that is no fault of its own, and worth another try. */
static void one_that_is_starved(void **state)
{
	(void)state;
	struct qemu qemu;
	struct error error = { 0 };
	write_fake("qemu-system-x86_64", "echo 'jit buffer: Cannot allocate memory' >&2; exit 1");
	assert_false(find(&qemu, &error));
	assert_int_equal(error.code, ERROR_IO);
	assert_non_null(
		strstr(error.message, "qemu-system-x86_64: it says \"jit buffer: Cannot allocate memory\""));
}

/* It has its time, and no more; and nothing of it is left. */
static void one_that_hangs(void **state)
{
	(void)state;
	struct qemu_answers answers;
	struct error error;
	char path[128];
	write_fake("hanging", "exec sleep 1000");
	snprintf(path, sizeof(path), "%s/hanging", folder);
	double start = seconds_now();
	assert_false(qemu_ask(path, "pc", 1, &arena, &answers, &error));
	double took = seconds_now() - start;
	assert_true(took >= 1 && took < 10);
	assert_int_equal(error.code, ERROR_UNSUPPORTED);
	assert_string_equal(error.message,
	                    arena_printf(&arena,
	                                 "%s does not answer within 1 seconds when it is asked what it "
	                                 "can do",
	                                 path));
	/* It was our only child, and has made none. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* The folders of its path are made as well. */
static void make_file(const char *root, const char *path)
{
	char *whole = arena_printf(&arena, "%s%s", root, path);
	for (char *at = whole + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		(void)!mkdir(whole, 0700);
		*at = '/';
	}
	FILE *file = fopen(whole, "we");
	assert_non_null(file);
	fclose(file);
}

/* The code and the variables of one build go together; the better build wins. */
static void firmware(void **state)
{
	(void)state;
	const char *code, *vars;
	char root[128];
	snprintf(root, sizeof(root), "%s/root", folder);
	assert_false(ovmf_find(root, "x86_64", &arena, &code, &vars));
	assert_null(code);
	make_file(root, "/usr/share/qemu/edk2-x86_64-code.fd");
	make_file(root, "/usr/share/OVMF/OVMF_CODE.fd");
	assert_false(ovmf_find(root, "x86_64", &arena, &code, &vars));
	make_file(root, "/usr/share/qemu/edk2-i386-vars.fd");
	assert_true(ovmf_find(root, "x86_64", &arena, &code, &vars));
	assert_true(str_ends(code, "/usr/share/qemu/edk2-x86_64-code.fd"));
	assert_true(str_ends(vars, "/usr/share/qemu/edk2-i386-vars.fd"));
	make_file(root, "/usr/share/OVMF/OVMF_VARS.fd");
	assert_true(ovmf_find(root, "x86_64", &arena, &code, &vars));
	assert_true(str_ends(code, "/OVMF/OVMF_CODE.fd") && str_ends(vars, "/OVMF/OVMF_VARS.fd"));
	make_file(root, "/usr/share/OVMF/OVMF_CODE_4M.fd");
	make_file(root, "/usr/share/OVMF/OVMF_VARS_4M.fd");
	assert_true(ovmf_find(root, "x86_64", &arena, &code, &vars));
	assert_true(str_ends(code, "_CODE_4M.fd") && str_ends(vars, "_VARS_4M.fd"));
	assert_false(ovmf_find(root, "arm64", &arena, &code, &vars));
	make_file(root, "/usr/share/AAVMF/AAVMF_CODE.fd");
	make_file(root, "/usr/share/AAVMF/AAVMF_VARS.fd");
	assert_true(ovmf_find(root, "arm64", &arena, &code, &vars));
	assert_true(str_ends(code, "/AAVMF_CODE.fd"));
	assert_non_null(strstr(ovmf_missing("arm64"), "qemu-efi-aarch64"));
}

/* An answer within its time, whatever stands behind the device. */
static void kvm(void **state)
{
	(void)state;
	double start = seconds_now();
	const char *reason = kvm_probe(&arena);
	print_message("KVM: %s\n", reason ? reason : "works");
	assert_true(seconds_now() - start < 5);
	if (access("/dev/kvm", F_OK) != 0)
		assert_non_null(reason);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	return setenv("PATH", arena_printf(&arena, "%s:/usr/bin:/bin", folder), 1);
}

static int tear_down(void **state)
{
	(void)state;
	tool_filter(COMMAND("/bin/rm", "-rf", "--one-file-system", folder), (struct span){ 0 }, &arena);
	arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_real_one),
		cmocka_unit_test(the_least),
		cmocka_unit_test(a_newer_one),
		cmocka_unit_test(what_will_not_do),
		cmocka_unit_test(those_that_end),
		cmocka_unit_test(one_that_is_starved),
		cmocka_unit_test(one_that_computes_wrong),
		cmocka_unit_test(one_that_hangs),
		cmocka_unit_test(firmware),
		cmocka_unit_test(kvm),
		cmocka_unit_test(none),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
