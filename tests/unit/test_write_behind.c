// Writing behind a decoder: what is added comes back, with a thread and without, and failures come in order.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "disk/write_behind.h"

#define MIB   (UINT64_C(1) << 20)
#define CHUNK WRITE_BEHIND_CHUNK
/* More than the ring holds, many times, behind what is written without a thread. */
#define CHUNKS ((size_t)64)
#define TAIL   ((size_t)1234)

static const struct span nothing_known;

/* A file without a name in a folder that knows holes. */
static int new_file(void)
{
	char path[] = "test-write-behind-XXXXXX";
	int descriptor = mkstemp(path);
	assert_true(descriptor >= 0);
	assert_int_equal(unlink(path), 0);
	return descriptor;
}

/* Each chunk is another; every fourth one ends in zeros, and every eighth is nothing else. */
static void fill(uint8_t *chunk, size_t number)
{
	for (size_t i = 0; i < CHUNK; i++)
		chunk[i] = (uint8_t)(number * 31 + i % 251 + 1);
	if (number % 4 == 3)
		memset(chunk + CHUNK / 2, 0, CHUNK / 2);
	if (number % 8 == 7)
		memset(chunk, 0, CHUNK);
}

/* Adds `count` of them and a part of one more; of the zeros of some it says nothing. */
static bool add_chunks(struct write_behind *behind, size_t count)
{
	for (size_t number = 0; number < count; number++) {
		uint8_t *chunk = write_behind_room(behind);
		struct span zeros = nothing_known;
		fill(chunk, number);
		if (number % 8 == 7)
			zeros = span_of(chunk, CHUNK);
		else if (number % 16 == 3)
			zeros = span_of(chunk + CHUNK / 2, CHUNK / 2);
		if (!write_behind_add(behind, number * CHUNK, CHUNK, zeros))
			return false;
	}
	fill(write_behind_room(behind), count);
	return write_behind_add(behind, count * CHUNK, TAIL, nothing_known);
}

/* With a thread, however many processors this machine has. */
static void open_threaded(struct write_behind *behind, struct spool *spool)
{
	write_behind_open(behind, spool);
	behind->alone = false;
}

static void expect_content(int file, size_t count)
{
	uint8_t *wanted = xmalloc(CHUNK), *got = xmalloc(CHUNK);
	struct stat status;
	assert_int_equal(fstat(file, &status), 0);
	assert_int_equal(status.st_size, count * CHUNK + TAIL);
	for (size_t number = 0; number <= count; number++) {
		size_t size = number < count ? CHUNK : TAIL;
		fill(wanted, number);
		assert_int_equal(pread(file, got, size, (off_t)(number * CHUNK)), (ssize_t)size);
		if (memcmp(got, wanted, size) != 0)
			fail_msg("chunk %zu is another", number);
	}
	free(wanted);
	free(got);
}

/* An eighth and another sixteenth of it need no room. */
#define WRITTEN (CHUNKS * CHUNK - CHUNKS / 8 * CHUNK - CHUNKS / 8 * CHUNK / 2 + TAIL)

static void all_comes_back(void **state)
{
	(void)state;
	int file = new_file();
	struct spool spool = { .file = file, .most = 64 * MIB };
	struct write_behind behind;
	struct error error;
	open_threaded(&behind, &spool);
	assert_true(add_chunks(&behind, CHUNKS));
	assert_true(behind.threaded);
	assert_true(write_behind_close(&behind, &error));
	assert_true(spool_end(&spool, CHUNKS * CHUNK + TAIL, &error));
	assert_int_equal(spool.written, WRITTEN);
	expect_content(file, CHUNKS);
	close(file);
}

static void little_takes_no_thread(void **state)
{
	(void)state;
	int file = new_file();
	struct spool spool = { .file = file, .most = MIB };
	struct write_behind behind;
	struct error error;
	open_threaded(&behind, &spool);
	assert_true(add_chunks(&behind, 1));
	/* Nor do many zeros. */
	for (size_t number = 2; number < 1000; number++) {
		uint8_t *chunk = write_behind_room(&behind);
		assert_true(write_behind_add(&behind, number * CHUNK, CHUNK, span_of(chunk, CHUNK)));
	}
	assert_false(behind.threaded);
	assert_true(write_behind_close(&behind, &error));
	assert_true(spool_end(&spool, CHUNK + TAIL, &error));
	expect_content(file, 1);
	/* And nothing at all. */
	open_threaded(&behind, &spool);
	assert_true(write_behind_close(&behind, &error));
	close(file);
}

/* Makes this process one that can start no thread. */
static void take_threads_away(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(2);
}

static void it_works_alone(void **state)
{
	(void)state;
	int file = new_file(), status;
	pid_t child = fork();
	if (child == 0) {
		struct spool spool = { .file = file, .most = 64 * MIB };
		struct write_behind behind;
		struct error error;
		take_threads_away();
		open_threaded(&behind, &spool);
		bool sound = add_chunks(&behind, CHUNKS) && behind.alone && !behind.threaded;
		sound = write_behind_close(&behind, &error) && sound;
		_exit(sound && spool_end(&spool, CHUNKS * CHUNK + TAIL, &error) && spool.written == WRITTEN
		              ? 0
		              : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	expect_content(file, CHUNKS);
	close(file);
}

/* Two on one processor would only take turns. */
static void one_processor_has_no_thread(void **state)
{
	(void)state;
	int file = new_file();
	struct spool spool = { .file = file, .most = 64 * MIB };
	struct write_behind behind;
	struct error error;
	cpu_set_t before, one;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	CPU_ZERO(&one);
	for (size_t cpu = 0; CPU_COUNT(&one) == 0; cpu++)
		if (CPU_ISSET(cpu, &before))
			CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	write_behind_open(&behind, &spool);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_true(add_chunks(&behind, CHUNKS));
	assert_false(behind.threaded);
	assert_true(write_behind_close(&behind, &error));
	assert_true(spool_end(&spool, CHUNKS * CHUNK + TAIL, &error));
	expect_content(file, CHUNKS);
	close(file);
}

/* Whatever the thread has come to when it is asked, the sentence is that of the first chunk that has no room.
 */
static void no_room_is_told(void **state)
{
	(void)state;
	static const uint64_t rooms[] = { 2 * MIB, 6 * MIB, 20 * MIB };
	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
		int file = new_file();
		struct spool spool = { .file = file, .most = rooms[i] };
		struct write_behind behind;
		struct error error;
		open_threaded(&behind, &spool);
		(void)!add_chunks(&behind, CHUNKS);
		error_fill(&error, ERROR_CORRUPT, "something later");
		assert_false(write_behind_close(&behind, &error));
		assert_int_equal(error.code, ERROR_LIMIT);
		assert_non_null(strstr(error.message, "room for temporary files (no more is free)"));
		assert_true(spool.written <= rooms[i] && spool.written > rooms[i] - CHUNK);
		close(file);
	}
}

/* The decoder is told before it has decoded all. */
static void a_failure_ends_it(void **state)
{
	(void)state;
	int file = memfd_create("scratch", MFD_ALLOW_SEALING);
	assert_true(file >= 0);
	struct spool spool = { .file = file, .most = 1024 * MIB };
	struct write_behind behind;
	struct error error;
	open_threaded(&behind, &spool);
	assert_true(add_chunks(&behind, CHUNKS));
	assert_true(behind.threaded);
	/* While the thread writes the last ones the kernel may be busy with their pages. */
	while (fcntl(file, F_ADD_SEALS, F_SEAL_WRITE) != 0)
		assert_int_equal(errno, EBUSY);
	size_t number = CHUNKS;
	do {
		fill(write_behind_room(&behind), 0);
		number++;
	} while (write_behind_add(&behind, number * CHUNK, CHUNK, nothing_known) && number < 2 * CHUNKS);
	assert_true(number <= CHUNKS + WRITE_BEHIND_CHUNKS + 1);
	assert_false(write_behind_close(&behind, &error));
	assert_int_equal(error.code, ERROR_IO);
	assert_non_null(
		strstr(error.message, "cannot be written to a temporary file: Operation not permitted"));
	close(file);
}

/* What fails on the other side leaves nothing behind; its error stays. */
static void it_is_given_up(void **state)
{
	(void)state;
	int file = new_file();
	struct spool spool = { .file = file, .most = 64 * MIB };
	struct write_behind behind;
	struct error error;
	open_threaded(&behind, &spool);
	assert_true(add_chunks(&behind, CHUNKS));
	assert_non_null(write_behind_room(&behind));
	error_fill(&error, ERROR_CORRUPT, "something else");
	assert_true(write_behind_close(&behind, &error));
	assert_string_equal(error.message, "something else");
	assert_int_equal(spool.written, WRITTEN);
	close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_comes_back),
		cmocka_unit_test(little_takes_no_thread),
		cmocka_unit_test(it_works_alone),
		cmocka_unit_test(no_room_is_told),
		cmocka_unit_test(a_failure_ends_it),
		cmocka_unit_test(it_is_given_up),
		cmocka_unit_test(one_processor_has_no_thread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
