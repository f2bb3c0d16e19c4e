// os-release, the init program, and who applies sysctls.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "memory_fs.h"
#include "os/system.h"

static struct memory_fs files;
static struct arena arena;
static struct os os;

static int set_up(void **state)
{
	(void)state;
	files = (struct memory_fs){ 0 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	memory_free(&files);
	arena_free(&arena);
	return 0;
}

static void identify(void)
{
	struct tree tree = memory_tree(&files);
	os_identify(&tree, &arena, &os);
}

/* /usr/lib/os-release of Debian 12, as base-files ships it. */
static const char debian[] = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"
			     "NAME=\"Debian GNU/Linux\"\n"
			     "VERSION_ID=\"12\"\n"
			     "VERSION=\"12 (bookworm)\"\n"
			     "VERSION_CODENAME=bookworm\n"
			     "ID=debian\n";

static void debian_with_systemd(void **state)
{
	(void)state;
	memory_file(&files, "/usr/lib/os-release", debian);
	memory_link(&files, "/etc/os-release", "../usr/lib/os-release");
	memory_file(&files, "/usr/lib/systemd/systemd", "ELF");
	memory_file(&files, "/usr/lib/systemd/systemd-sysctl", "ELF");
	memory_link(&files, "/usr/sbin/init", "/lib/systemd/systemd");
	memory_link(&files, "/sbin", "usr/sbin");
	memory_link(&files, "/lib", "usr/lib");
	identify();
	assert_string_equal(os.id, "debian");
	assert_string_equal(os.version, "12");
	assert_string_equal(os.name, "Debian GNU/Linux 12 (bookworm)");
	assert_null(os.id_like);
	assert_string_equal(os.place.path, "/usr/lib/os-release");
	assert_string_equal(os.init, "systemd");
	assert_string_equal(os.init_place.path, "/usr/lib/systemd/systemd");
	assert_int_equal(os.init_found, ANSWER_YES);
	assert_int_equal(os.sysctl_applier, SYSCTL_APPLIER_SYSTEMD);
}

static void quotes_and_escapes(void **state)
{
	(void)state;
	memory_file(&files, "/etc/os-release",
	            "# a comment\nID='x y'\nPRETTY_NAME=\"a \\\"b\\\" \\$c \\d\"\nVERSION_ID=9\\ 1\n"
	            "ID_LIKE=\"rhel fedora\nbroken\n=\n");
	identify();
	assert_string_equal(os.id, "x y");
	assert_string_equal(os.name, "a \"b\" $c \\d");
	assert_string_equal(os.version, "9 1");
	assert_string_equal(os.id_like, "rhel fedora");
}

static void an_empty_image(void **state)
{
	(void)state;
	identify();
	assert_null(os.id);
	assert_null(os.place.path);
	assert_int_equal(os.init_found, ANSWER_NO);
	assert_string_equal(os.init, "unknown");
	assert_int_equal(os.sysctl_applier, SYSCTL_APPLIER_UNKNOWN);
}

static void sysvinit_with_procps(void **state)
{
	(void)state;
	memory_file(&files, "/sbin/init", "ELF");
	memory_file(&files, "/etc/inittab", "id:2:initdefault:\n");
	identify();
	assert_string_equal(os.init, "sysvinit");
	assert_int_equal(os.sysctl_applier, SYSCTL_APPLIER_UNKNOWN);
	memory_link(&files, "/etc/rcS.d/S15procps", "../init.d/procps");
	identify();
	assert_int_equal(os.sysctl_applier, SYSCTL_APPLIER_PROCPS);
}

static void openrc_on_busybox(void **state)
{
	(void)state;
	memory_file(&files, "/bin/busybox", "ELF");
	memory_link(&files, "/sbin/init", "/bin/busybox");
	memory_link(&files, "/sbin/sysctl", "/bin/busybox");
	identify();
	assert_string_equal(os.init, "busybox");
	memory_file(&files, "/etc/inittab", "# openrc\n::sysinit:/sbin/openrc sysinit\n");
	memory_link(&files, "/etc/runlevels/boot/sysctl", "/etc/init.d/sysctl");
	memory_file(&files, "/etc/init.d/sysctl", "#!/sbin/openrc-run\n");
	identify();
	assert_string_equal(os.init, "openrc");
	assert_int_equal(os.sysctl_applier, SYSCTL_APPLIER_BUSYBOX);
	memory_file(&files, "/etc/os-release", "ID=alpine\n");
	identify();
	assert_int_equal(os.sysctl_applier, SYSCTL_APPLIER_UNKNOWN);
}

static void a_dangling_init_is_none(void **state)
{
	(void)state;
	memory_link(&files, "/sbin/init", "/lib/systemd/systemd");
	identify();
	assert_string_equal(os.init, "unknown");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(debian_with_systemd),  TEST(quotes_and_escapes), TEST(an_empty_image),
		TEST(sysvinit_with_procps), TEST(openrc_on_busybox),  TEST(a_dangling_init_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
