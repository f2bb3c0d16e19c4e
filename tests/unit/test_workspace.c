// What a machine writes to: made without names, of the right size, and refused where there is no room.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "machine/workspace.h"
#include "tools.h"

static char folder[] = "/tmp/slipway-workspace-XXXXXX";

static struct machine_request request_of(const struct qemu *qemu, enum machine_firmware firmware,
                                         uint64_t disk_size)
{
	return (struct machine_request){ .qemu = qemu,
		                         .firmware = firmware,
		                         .disk = disk_size ? STDIN_FILENO : -1,
		                         .disk_size = disk_size,
		                         .kernel = -1,
		                         .initrd = -1 };
}

static bool is_empty(const char *path)
{
	unsigned count = 0;
	DIR *open = opendir(path);
	assert_non_null(open);
	while (readdir(open))
		count++;
	closedir(open);
	return count == 2; /* "." and ".." */
}

/* qemu-img finds nothing wrong in the file behind a descriptor, and this size. */
static void check_with_qemu_img(int descriptor, uint64_t size)
{
	struct arena arena = { 0 };
	const struct span nothing = { 0 };
	int inherited = dup(descriptor);
	const char *path = arena_printf(&arena, "/proc/self/fd/%d", inherited);
	tool_filter(COMMAND("qemu-img", "check", "-q", path), nothing, &arena);
	struct span said = tool_filter(COMMAND("qemu-img", "info", "--output=json", path), nothing, &arena);
	const char *wanted = arena_printf(&arena, "\"virtual-size\": %llu,", (unsigned long long)size);
	assert_true(span_find(said, 0, wanted, strlen(wanted)) != SIZE_MAX);
	close(inherited);
	arena_free(&arena);
}

static void the_overlay_is_sound(void **state)
{
	(void)state;
	static const struct {
		uint64_t size, as;
	} cases[] = {
		{ 512, 512 },
		{ 1, 512 },
		{ UINT64_C(3) << 30, UINT64_C(3) << 30 },
		{ (UINT64_C(10) << 30) + 513, (UINT64_C(10) << 30) + 1024 },
		/* More than one cluster of L1 entries. */
		{ UINT64_C(5) << 40, UINT64_C(5) << 40 },
		{ UINT64_C(16) << 40, UINT64_C(16) << 40 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct workspace workspace;
		struct error error;
		struct machine_request request = request_of(NULL, MACHINE_BIOS, cases[i].size);
		if (!workspace_make(&request, &workspace, &error))
			fail_msg("%s", error.message);
		check_with_qemu_img(workspace.overlay, cases[i].as);
		assert_int_equal(workspace.empty, -1);
		assert_int_equal(workspace.ovmf_vars, -1);
		workspace_free(&workspace);
		assert_int_equal(workspace.overlay, -1);
	}
	assert_true(is_empty(folder));
}

static void a_disk_too_large(void **state)
{
	(void)state;
	struct workspace workspace;
	struct error error;
	struct machine_request request = request_of(NULL, MACHINE_BIOS, UINT64_MAX);
	assert_false(workspace_make(&request, &workspace, &error));
	assert_int_equal(error.code, ERROR_LIMIT);
	request.disk_size = (UINT64_C(16) << 40) + 1;
	assert_false(workspace_make(&request, &workspace, &error));
	assert_string_equal(error.message, "a disk of 17592186044417 bytes is larger than 16 TiB");
}

/* Disks of zeros that take no room, and which their holder cannot write. */
static void disks_of_zeros(void **state)
{
	(void)state;
	struct workspace workspace;
	struct error error;
	struct stat status;
	struct machine_request request = request_of(NULL, MACHINE_KERNEL, 0);
	if (!workspace_make(&request, &workspace, &error))
		fail_msg("%s", error.message);
	const int disks[] = { workspace.spare, workspace.empty };
	for (size_t i = 0; i < ARRAY_SIZE(disks); i++) {
		assert_int_equal(fstat(disks[i], &status), 0);
		assert_int_equal(status.st_size, WORKSPACE_DISK);
		assert_true(status.st_blocks < 64);
		assert_int_equal(fcntl(disks[i], F_GETFL) & O_ACCMODE, O_RDONLY);
		assert_int_equal(fcntl(disks[i], F_GETFD), FD_CLOEXEC);
	}
	check_with_qemu_img(workspace.overlay, WORKSPACE_DISK);
	assert_int_equal(fcntl(workspace.overlay, F_GETFL) & O_ACCMODE, O_RDWR);
	assert_true(is_empty(folder));
	workspace_free(&workspace);
}

static void firmware_variables(void **state)
{
	(void)state;
	struct workspace workspace;
	struct error error;
	char read_back[32] = { 0 };
	struct qemu qemu = { .arch = "x86_64", .ovmf_code = "/dev/null", .ovmf_vars = "/etc/hostname" };
	struct machine_request request = request_of(&qemu, MACHINE_UEFI, 512);
	char variables[] = "/tmp/slipway-variables-XXXXXX";
	int file = mkstemp(variables);
	assert_int_equal(write(file, "variables of a firmware", 23), 23);
	qemu.ovmf_vars = variables;
	if (!workspace_make(&request, &workspace, &error))
		fail_msg("%s", error.message);
	/* A copy: what the machine writes there does not reach the original. */
	assert_int_equal(pwrite(workspace.ovmf_vars, "V", 1, 0), 1);
	assert_int_equal(pread(workspace.ovmf_vars, read_back, sizeof(read_back), 0), 23);
	assert_string_equal(read_back, "Variables of a firmware");
	memset(read_back, 0, sizeof(read_back));
	assert_int_equal(pread(file, read_back, sizeof(read_back), 0), 23);
	assert_string_equal(read_back, "variables of a firmware");
	workspace_free(&workspace);
	/* As large as arm64 has them, and no larger. */
	struct stat status;
	assert_int_equal(ftruncate(file, (off_t)64 << 20), 0);
	if (!workspace_make(&request, &workspace, &error))
		fail_msg("%s", error.message);
	assert_int_equal(fstat(workspace.ovmf_vars, &status), 0);
	assert_int_equal(status.st_size, 64 << 20);
	assert_true(status.st_blocks * 512 < 1 << 20);
	workspace_free(&workspace);
	assert_int_equal(ftruncate(file, ((off_t)64 << 20) + 1), 0);
	assert_false(workspace_make(&request, &workspace, &error));
	assert_int_equal(error.code, ERROR_UNSUPPORTED);
	assert_non_null(strstr(error.message, "larger than 64 MiB"));
	close(file);
	unlink(variables);
	assert_false(workspace_make(&request, &workspace, &error));
	assert_int_equal(error.code, ERROR_IO);
	assert_int_equal(workspace.overlay, -1);
	qemu.ovmf_vars = NULL;
	assert_false(workspace_make(&request, &workspace, &error));
	assert_int_equal(error.code, ERROR_UNSUPPORTED);
	assert_non_null(strstr(error.message, "ovmf"));
}

/* Expects ERROR_IO in a child, which may change the world for it: 0, or the line of what was otherwise. */
#define CHILD_WANTS(condition)                                                                               \
	do                                                                                                   \
		if (!(condition)) {                                                                          \
			fprintf(stderr, "%s; the message: %s\n", #condition, error.message);                 \
			_exit(1);                                                                            \
		}                                                                                            \
	while (0)

#define EXIT_SKIP 77

static void in_child(void (*run)(void))
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP)
		skip();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static bool write_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	bool done = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
	if (file >= 0)
		close(file);
	return done;
}

/* A file system of its own, of this size, in the folder. */
static void mount_small(const char *options)
{
	char map[32], groups[32];
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)geteuid());
	snprintf(groups, sizeof(groups), "0 %u 1", (unsigned)getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || !write_file("/proc/self/setgroups", "deny") ||
	    !write_file("/proc/self/uid_map", map) || !write_file("/proc/self/gid_map", groups) ||
	    mount("none", folder, "tmpfs", 0, options) != 0) {
		fprintf(stderr, "no file system can be mounted here: %s\n", strerror(errno));
		_exit(EXIT_SKIP);
	}
}

static void on_a_small_disk(void)
{
	struct workspace workspace;
	struct error error = { 0 };
	char wanted[256];
	struct machine_request request = request_of(NULL, MACHINE_BIOS, UINT64_C(1) << 30);
	mount_small("size=16m");
	CHILD_WANTS(!workspace_make(&request, &workspace, &error));
	CHILD_WANTS(error.code == ERROR_IO);
	snprintf(
		wanted, sizeof(wanted),
		"there is not enough room in %s for what the guest writes (15 MiB are free, 128 are wanted): "
		"set TMPDIR to a folder with more",
		folder);
	CHILD_WANTS(str_equal(error.message, wanted));
	CHILD_WANTS(is_empty(folder));
}

static void on_a_full_disk(void)
{
	struct workspace workspace;
	struct error error = { 0 };
	char wanted[256];
	struct machine_request request = request_of(NULL, MACHINE_BIOS, UINT64_C(1) << 30);
	mount_small("size=128k");
	CHILD_WANTS(!workspace_make(&request, &workspace, &error));
	CHILD_WANTS(error.code == ERROR_IO);
	snprintf(wanted, sizeof(wanted),
	         "the overlay for what the guest writes cannot be made in %s (No space left on device): set "
	         "TMPDIR to a folder with room that can be written",
	         folder);
	CHILD_WANTS(str_equal(error.message, wanted));
	CHILD_WANTS(is_empty(folder));
}

static void under_a_file_limit(void)
{
	struct workspace workspace;
	struct error error = { 0 };
	const struct rlimit small = { 1 << 20, 1 << 20 };
	struct machine_request request = request_of(NULL, MACHINE_BIOS, UINT64_C(1) << 30);
	signal(SIGXFSZ, SIG_IGN); /* as main() does */
	setrlimit(RLIMIT_FSIZE, &small);
	CHILD_WANTS(!workspace_make(&request, &workspace, &error));
	CHILD_WANTS(error.code == ERROR_IO);
	CHILD_WANTS(strstr(error.message, "the spare disk cannot be made in"));
	CHILD_WANTS(strstr(error.message, "File too large"));
}

static void in_no_folder(void)
{
	struct workspace workspace;
	struct error error = { 0 };
	struct machine_request request = request_of(NULL, MACHINE_BIOS, UINT64_C(1) << 30);
	setenv("TMPDIR", "/nonexistent", 1);
	CHILD_WANTS(!workspace_make(&request, &workspace, &error));
	CHILD_WANTS(error.code == ERROR_IO);
	CHILD_WANTS(strstr(error.message, "in /nonexistent (No such file or directory)"));
}

static void little_room(void **state)
{
	(void)state;
	in_child(on_a_small_disk);
}

static void no_room(void **state)
{
	(void)state;
	in_child(on_a_full_disk);
}

static void a_file_limit(void **state)
{
	(void)state;
	in_child(under_a_file_limit);
}

static void no_folder(void **state)
{
	(void)state;
	in_child(in_no_folder);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? setenv("TMPDIR", folder, 1) : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_overlay_is_sound), cmocka_unit_test(a_disk_too_large),
		cmocka_unit_test(disks_of_zeros),       cmocka_unit_test(firmware_variables),
		cmocka_unit_test(little_room),          cmocka_unit_test(no_room),
		cmocka_unit_test(a_file_limit),         cmocka_unit_test(no_folder),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
