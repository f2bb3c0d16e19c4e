// What a worker is not allowed to do, and what little it is.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "worker_bench.h"

#include "disk/write_behind.h"
#include "sandbox/lockdown.h"

#define CLONE_OF_THREADS                                                                                     \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |   \
	 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

static void handle_signals(void *context, int input, int output)
{
	(void)context, (void)input;
	signal(SIGXCPU, SIG_IGN);
	say(output, "deaf");
}

static void open_file(void *context, int input, int output)
{
	(void)context, (void)input;
	int descriptor = open("/etc/passwd", O_RDONLY);
	say(output, descriptor >= 0 ? "opened" : "refused");
}

/* Needs no descriptor, so that it is not the limit of those that stops it. */
static void make_folder(void *context, int input, int output)
{
	(void)context, (void)input;
	int made = mkdir("test-sandbox-folder", 0700);
	say(output, made == 0 ? "made" : errno == EACCES ? "refused" : "failed");
}

static void make_socket(void *context, int input, int output)
{
	(void)context, (void)input;
	int descriptor = socket(AF_INET, SOCK_STREAM, 0);
	say(output, descriptor >= 0 ? "opened" : "refused");
}

static void start_process(void *context, int input, int output)
{
	(void)context, (void)input;
	pid_t process = fork();
	if (process == 0)
		_exit(0);
	say(output, process > 0 ? "forked" : "refused");
}

static void *do_nothing(void *context)
{
	return context;
}

static void start_thread(void *context, int input, int output)
{
	(void)context, (void)input;
	pthread_t thread;
	say(output, pthread_create(&thread, NULL, do_nothing, NULL) == 0 ? "started" : "refused");
}

static void make_code(void *context, int input, int output)
{
	(void)context, (void)input;
	void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say(output, code != MAP_FAILED ? "mapped" : "refused");
}

static void protect_code(void *context, int input, int output)
{
	(void)context, (void)input;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say(output, mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0 ? "mapped" : "refused");
}

static void map_input(void *context, int input, int output)
{
	(void)context;
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, input, 0);
	say(output, page != MAP_FAILED ? "mapped" : "refused");
}

static void write_input(void *context, int input, int output)
{
	(void)context;
	say(output, write(input, "x", 1) == 1 ? "written" : "refused");
}

/* The standard error output of a person at a terminal is their keyboard, too. */
static void read_standard_error(void *context, int input, int output)
{
	(void)context, (void)input;
	char byte;
	say(output, read(STDERR_FILENO, &byte, 1) >= 0 ? "read" : "refused");
}

static void kill_parent(void *context, int input, int output)
{
	(void)input;
	say(output, kill(*(pid_t *)context, SIGUSR1) == 0 ? "signalled" : "refused");
}

static void signal_parent_thread(void *context, int input, int output)
{
	(void)input;
	pid_t parent = *(pid_t *)context;
	say(output, syscall(SYS_tgkill, parent, parent, SIGUSR1) == 0 ? "signalled" : "refused");
}

/* As a reader of a directory does: beneath it with and without openat2(), and then outside of it. */
static void read_directory(void *context, int input, int output)
{
	(void)input;
	int directory = *(int *)context;
	char byte;
	struct stat status;
	int there = openat(directory, "inside", O_PATH | O_NOFOLLOW);
	if (there < 0 || fstat(there, &status) != 0 || close(there) != 0)
		return;
	int file = openat(directory, "inside", O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	if (file < 0 || pread(file, &byte, 1, 0) != 1)
		return;
	say(output, "read");
	if (openat(directory, "../outside", O_RDONLY | O_NOFOLLOW) < 0)
		say(output, ", refused");
	if (openat(directory, "/etc/passwd", O_RDONLY | O_NOFOLLOW) < 0)
		say(output, ", refused");
	for (int count = 0; count < 100; count++)
		if (openat(directory, ".", O_PATH | O_NOFOLLOW) < 0)
			break;
	say(output, errno == EMFILE ? ", enough" : ", no end");
}

static void write_in_directory(void *context, int input, int output)
{
	(void)input;
	int file = openat(*(int *)context, "inside", O_RDWR | O_NOFOLLOW);
	say(output, file >= 0 ? "opened" : "refused");
}

static void open_from_here(void *context, int input, int output)
{
	(void)context, (void)input;
	int file = openat(AT_FDCWD, "/etc/passwd", O_RDONLY | O_NOFOLLOW);
	say(output, file >= 0 ? "opened" : "refused");
}

static struct worker_result run_in_directory(worker_fn *work, int directory)
{
	struct worker_result result;
	struct error error;
	struct worker_access access = worker_access_none();
	access.directory = directory;
	if (!worker_run(work, &directory, &access, &test_limits, &result, &error))
		fail_msg("%s", error.message);
	return result;
}

static void a_directory_is_read_and_nothing_else(void **state)
{
	(void)state;
	char folder[] = "test-sandbox-XXXXXX";
	assert_non_null(mkdtemp(folder));
	int outer = open(folder, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(outer, "directory", 0755), 0);
	int directory = openat(outer, "directory", O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 2; i++) {
		int file = openat(i ? outer : directory, i ? "outside" : "inside", O_WRONLY | O_CREAT, 0644);
		assert_int_equal(write(file, "x", 1), 1);
		close(file);
	}
	struct worker_result result = run_in_directory(read_directory, directory);
	assert_int_equal(result.end, WORKER_FINISHED);
	if (lockdown_has_landlock())
		assert_string_equal(text_get(&result.output), "read, refused, refused, enough");
	text_free(&result.output);
	worker_fn *const forbidden[] = { write_in_directory, open_from_here, make_socket, make_folder };
	for (size_t i = 0; i < ARRAY_SIZE(forbidden) && lockdown_has_call_filter(); i++) {
		result = run_in_directory(forbidden[i], directory);
		assert_int_equal(result.end, WORKER_FORBIDDEN);
		text_free(&result.output);
	}
	unlinkat(directory, "inside", 0);
	unlinkat(outer, "outside", 0);
	unlinkat(outer, "directory", AT_REMOVEDIR);
	close(directory);
	close(outer);
	assert_int_equal(rmdir(folder), 0);
}

static void everything_else_is_forbidden(void **state)
{
	(void)state;
	static worker_fn *const attempts[] = {
		make_folder,    open_file,           make_socket,  start_process, make_code,
		protect_code,   map_input,           write_input,  kill_parent,   signal_parent_thread,
		handle_signals, read_standard_error, start_thread,
	};
	if (!lockdown_has_call_filter()) {
		print_message("no filter of system calls in this build: not tested\n");
		skip();
	}
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t parent = getpid();
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		struct worker_result result = run_with(attempts[i], &parent, ends[1], &test_limits);
		if (result.end != WORKER_FORBIDDEN || result.signal != SIGSYS)
			fail_msg("attempt %zu ended with %d: %s", i, result.end, text_get(&result.output));
		assert_int_equal(result.output.size, 0);
		text_free(&result.output);
	}
	close(ends[0]);
	close(ends[1]);
}

/* Where the filter does not let it come to that (see above) there is nothing to see of landlock. */
/* Makes this process one of a kernel without landlock. */
static void take_landlock_away(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };
	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void make_file_by_openat2(void *context, int input, int output)
{
	(void)input;
	const struct open_how how = { .flags = O_WRONLY | O_CREAT, .mode = 0600 };
	long made = syscall(SYS_openat2, *(int *)context, "made", &how, sizeof(how));
	say(output, made >= 0 ? "made" : errno == ENOSYS ? "not there" : "refused");
}

static void make_and_answer(void *context, int input, int output)
{
	const int *made = context;
	char byte;
	(void)input;
	if (pwrite(*made, "made", 4, 2) == 4 && ftruncate(*made, 8) == 0)
		say(output, "written");
	if (pread(*made, &byte, 1, 0) == 1)
		say(output, " and read");
}

/* What a worker makes it may write, and not read. */
static void files_are_made(void **state)
{
	(void)state;
	char path[] = "test-sandbox-XXXXXX", content[9] = { 0 };
	int made = mkstemp(path);
	struct worker_access access = worker_access_none();
	struct worker_result result;
	struct error error;
	assert_true(made >= 0);
	unlink(path);
	access.made[1] = made;
	assert_true(worker_run(make_and_answer, &made, &access, &test_limits, &result, &error));
	bool filtered = lockdown_has_call_filter();
	assert_int_equal(result.end, filtered ? WORKER_FORBIDDEN : WORKER_FINISHED);
	assert_string_equal(text_get(&result.output), filtered ? "written" : "written and read");
	assert_int_equal(pread(made, content, 9, 0), 8);
	assert_memory_equal(content, "\0\0made\0\0", 8);
	text_free(&result.output);
	close(made);
}

/* Enough to make it worth a thread; answers whether there was one. */
static void write_behind_in_a_thread(void *context, int input, int output)
{
	(void)input;
	struct spool spool = { .file = *(int *)context, .most = UINT64_C(1) << 30 };
	struct write_behind behind;
	struct error error;
	bool sound = true;
	write_behind_open(&behind, &spool);
	behind.alone = false; /* not on one processor either */
	for (uint64_t offset = 0; sound && offset < UINT64_C(16) << 20; offset += WRITE_BEHIND_CHUNK) {
		memset(write_behind_room(&behind), 'x', WRITE_BEHIND_CHUNK);
		sound = write_behind_add(&behind, offset, WRITE_BEHIND_CHUNK, (struct span){ 0 });
	}
	bool threaded = behind.threaded;
	sound = write_behind_close(&behind, &error) && sound;
	say(output, !sound ? error.message : threaded ? "threaded" : "alone");
}

/* As pthread_create() does it, and with one flag too many or too few. */
static void start_thread_in_namespace(void *context, int input, int output)
{
	(void)context, (void)input;
	long thread = syscall(SYS_clone, CLONE_OF_THREADS | CLONE_NEWUSER, NULL, NULL, NULL, NULL);
	say(output, thread < 0 ? "refused" : "started");
}

static void start_thread_of_another_process(void *context, int input, int output)
{
	(void)context, (void)input;
	long thread = syscall(SYS_clone, CLONE_OF_THREADS & ~CLONE_THREAD, NULL, NULL, NULL, NULL);
	say(output, thread < 0 ? "refused" : "started");
}

/* The call of which a filter cannot see the flags. */
static void start_process_by_clone3(void *context, int input, int output)
{
	(void)context, (void)input;
	uint64_t arguments[8] = { [4] = SIGCHLD };
	long process = syscall(SYS_clone3, arguments, sizeof(arguments));
	if (process == 0)
		_exit(0);
	say(output, process < 0 && errno == ENOSYS ? "not there" : "started");
}

static struct worker_result run_with_scratch(worker_fn *work, int scratch)
{
	struct worker_result result;
	struct error error;
	struct worker_access access = worker_access_none();
	access.scratch = scratch;
	if (!worker_run(work, &scratch, &access, &test_limits, &result, &error))
		fail_msg("%s", error.message);
	return result;
}

static void unpacking_takes_a_thread(void **state)
{
	(void)state;
	char path[] = "test-sandbox-XXXXXX";
	int scratch = mkstemp(path);
	assert_true(scratch >= 0);
	unlink(path);
	struct worker_result result = run_with_scratch(write_behind_in_a_thread, scratch);
	assert_int_equal(result.end, WORKER_FINISHED);
	assert_string_equal(text_get(&result.output), "threaded");
	text_free(&result.output);
	static worker_fn *const forbidden[] = { start_process, start_thread_in_namespace,
		                                start_thread_of_another_process, handle_signals };
	for (size_t i = 0; i < ARRAY_SIZE(forbidden) && lockdown_has_call_filter(); i++) {
		result = run_with_scratch(forbidden[i], scratch);
		if (result.end != WORKER_FORBIDDEN || result.signal != SIGSYS)
			fail_msg("attempt %zu ended with %d: %s", i, result.end, text_get(&result.output));
		text_free(&result.output);
	}
	if (lockdown_has_call_filter()) {
		result = run_with_scratch(start_process_by_clone3, scratch);
		assert_int_equal(result.end, WORKER_FINISHED);
		assert_string_equal(text_get(&result.output), "not there");
		text_free(&result.output);
	}
	close(scratch);
}

/* The filter sees no flags of openat2(), so the call is there for reading only where landlock sees to that.
 */
static void nothing_is_written_without_landlock(void **state)
{
	(void)state;
	if (!lockdown_has_call_filter())
		skip();
	char folder[] = "test-sandbox-XXXXXX";
	assert_non_null(mkdtemp(folder));
	int directory = open(folder, O_RDONLY | O_DIRECTORY), status;
	pid_t child = fork();
	if (child == 0) {
		take_landlock_away();
		struct worker_result result = run_in_directory(make_file_by_openat2, directory);
		_exit(str_equal(text_get(&result.output), "not there") ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	close(directory);
	assert_int_equal(rmdir(folder), 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void landlock_alone_takes_the_file_system(void **state)
{
	(void)state;
	if (!lockdown_has_landlock()) {
		print_message("no landlock in this kernel: not tested\n");
		skip();
	}
	struct worker_result result = run(make_folder);
	assert_int_equal(rmdir("test-sandbox-folder"), -1);
	bool filtered = lockdown_has_call_filter();
	assert_int_equal(result.end, filtered ? WORKER_FORBIDDEN : WORKER_FINISHED);
	assert_string_equal(text_get(&result.output), filtered ? "" : "refused");
	text_free(&result.output);
}

static void count_descriptors(void *context, int input, int output)
{
	(void)context;
	unsigned count = 0;
	struct stat status;
	for (int descriptor = 0; descriptor < 256; descriptor++)
		count += fstat(descriptor, &status) == 0;
	bool expected = count == 3 && lseek(input, 0, SEEK_CUR) == 0;
	say(output, expected ? "three" : "more");
}

static void only_three_descriptors_are_left(void **state)
{
	(void)state;
	int input = open("/proc/self/exe", O_RDONLY), other = dup(input), high = fcntl(input, F_DUPFD, 200);
	struct worker_result result = run_with(count_descriptors, NULL, input, &test_limits);
	assert_int_equal(result.end, WORKER_FINISHED);
	assert_string_equal(text_get(&result.output), "three");
	text_free(&result.output);
	/* Also where the input is standard input, or has the highest number. */
	int standard = dup(STDIN_FILENO);
	dup2(input, STDIN_FILENO);
	result = run_with(count_descriptors, NULL, STDIN_FILENO, &test_limits);
	assert_string_equal(text_get(&result.output), "three");
	text_free(&result.output);
	dup2(standard, STDIN_FILENO);
	result = run_with(count_descriptors, NULL, high, &test_limits);
	assert_string_equal(text_get(&result.output), "three");
	text_free(&result.output);
	close(standard);
	close(input);
	close(other);
	close(high);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_is_read_and_nothing_else),
		cmocka_unit_test(everything_else_is_forbidden),
		cmocka_unit_test(files_are_made),
		cmocka_unit_test(unpacking_takes_a_thread),
		cmocka_unit_test(nothing_is_written_without_landlock),
		cmocka_unit_test(landlock_alone_takes_the_file_system),
		cmocka_unit_test(only_three_descriptors_are_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
