// The system calls that a worker may make: those of reading its input, computing, answering and ending.
// Everything else kills the process with SIGSYS, so that neither a bug nor an attack gets a second try.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/lockdown.h"

/* glibc's own, by which threads change their user together. */
#define SIGNAL_OF_GLIBC 33

struct plain_call {
	int number;
	const char *reason;
};

/* Allowed whatever the arguments. */
static const struct plain_call plain_calls[] = {
	{ SCMP_SYS(fstat), "the kind of the input" },
	{ SCMP_SYS(brk), "malloc()" },
	{ SCMP_SYS(munmap), "free()" },
	{ SCMP_SYS(mremap), "realloc()" },
	{ SCMP_SYS(madvise), "free()" },
	{ SCMP_SYS(getrandom), "malloc(), for its hardening" },
	{ SCMP_SYS(sysinfo), "qsort(), which asks how much it may allocate" },
	{ SCMP_SYS(clock_gettime), "where the vDSO does not answer" },
	{ SCMP_SYS(rt_sigprocmask), "abort(), which must look like one" },
	{ SCMP_SYS(getpid), "the same" },
	{ SCMP_SYS(gettid), "the same" },
	{ SCMP_SYS(restart_syscall), "the kernel's own, after a stop" },
	{ SCMP_SYS(exit), "ending" },
	{ SCMP_SYS(exit_group), "ending" },
};

/* The same, for a worker that reads a directory: which file it opens is for landlock to say. */
static const struct plain_call directory_calls[] = {
	{ SCMP_SYS(getdents64), "the names in a directory" },
	{ SCMP_SYS(readlinkat), "the target of a symbolic link, which is not followed" },
	{ SCMP_SYS(pread64), "a file's bytes" },
	{ SCMP_SYS(close), "files are opened one after the other" },
};

/* The same, for a worker that unpacks: a thread of it writes (disk/write_behind.h). */
static const struct plain_call thread_calls[] = {
	{ SCMP_SYS(set_robust_list), "what a thread of glibc begins with" },
	{ SCMP_SYS(rseq), "the same" },
};

static bool allow(scmp_filter_ctx filter, int call, unsigned count, const struct scmp_arg_cmp *arguments)
{
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, count, arguments) == 0;
}

/* An argument that must equal `value` in the bits of `mask`. */
static struct scmp_arg_cmp argument(unsigned number, uint64_t mask, uint64_t value)
{
	return (struct scmp_arg_cmp){
		.arg = number, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value
	};
}

static bool allow_write(scmp_filter_ctx filter, int descriptor)
{
	const struct scmp_arg_cmp to = argument(0, UINT32_MAX, (uint32_t)descriptor);
	return allow(filter, SCMP_SYS(write), 1, &to) && allow(filter, SCMP_SYS(writev), 1, &to);
}

/* Not the standard error output, which stays open for a message and may be a terminal. */
static bool allow_read(scmp_filter_ctx filter, int descriptor)
{
	const struct scmp_arg_cmp from = argument(0, UINT32_MAX, (uint32_t)descriptor);
	return allow(filter, SCMP_SYS(read), 1, &from) && allow(filter, SCMP_SYS(pread64), 1, &from) &&
	       allow(filter, SCMP_SYS(lseek), 1, &from);
}

/* A file that is made, each byte at its place. */
static bool allow_make(scmp_filter_ctx filter, int file)
{
	const struct scmp_arg_cmp to = argument(0, UINT32_MAX, (uint32_t)file);
	return allow(filter, SCMP_SYS(pwrite64), 1, &to) && allow(filter, SCMP_SYS(ftruncate), 1, &to);
}

static bool allow_makes(scmp_filter_ctx filter, const int made[WORKER_FILES])
{
	for (size_t i = 0; i < WORKER_FILES; i++)
		if (made[i] >= 0 && !allow_make(filter, made[i]))
			return false;
	return true;
}

static bool allow_all(scmp_filter_ctx filter, const struct plain_call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!allow(filter, calls[i].number, 0, NULL))
			return false;
	return true;
}

static bool allow_directory(scmp_filter_ctx filter)
{
	/* In the place of openat2(): for reading, and never from where the process stands. */
	const struct scmp_arg_cmp from_there[] = {
		{ .arg = 0, .op = SCMP_CMP_LE, .datum_a = INT_MAX },
		argument(2, O_ACCMODE | O_CREAT | O_TRUNC | O_NOFOLLOW, O_RDONLY | O_NOFOLLOW),
	};
	/* Its flags lie in memory, where no filter looks: without landlock it would open files for writing.
	 */
	uint32_t beneath = lockdown_has_landlock() ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS);
	return allow_all(filter, directory_calls, ARRAY_SIZE(directory_calls)) &&
	       seccomp_rule_add_array(filter, beneath, SCMP_SYS(openat2), 0, NULL) == 0 &&
	       allow(filter, SCMP_SYS(openat), ARRAY_SIZE(from_there), from_there);
}

/* No recvmsg(), which can hand over descriptors. */
static bool allow_server(scmp_filter_ctx filter, int server)
{
	const struct scmp_arg_cmp socket = argument(0, UINT32_MAX, (uint32_t)server);
	const struct scmp_arg_cmp nowhere_else[] = { socket, argument(4, UINT64_MAX, 0) };
	const struct scmp_arg_cmp patience[] = { socket, argument(1, UINT32_MAX, SOL_SOCKET) };
	return allow(filter, SCMP_SYS(recvfrom), 1, &socket) &&
	       allow(filter, SCMP_SYS(sendto), ARRAY_SIZE(nowhere_else), nowhere_else) &&
	       allow(filter, SCMP_SYS(setsockopt), ARRAY_SIZE(patience), patience);
}

/* What semaphores and pthread_join() do, in memory that nobody shares with the worker. */
static bool allow_waiting(scmp_filter_ctx filter)
{
	static const uint32_t operations[] = { FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_WAKE };
	const uint32_t mask = ~(uint32_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
		const struct scmp_arg_cmp operation = argument(1, mask, operations[i]);
		if (!allow(filter, SCMP_SYS(futex), 1, &operation))
			return false;
	}
	return true;
}

/* Not there, as on an old kernel: the C library does without. */
static bool hide(scmp_filter_ctx filter, int call, unsigned count, const struct scmp_arg_cmp *arguments)
{
	return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS), call, count, arguments) == 0;
}

/* What pthread_create() takes in glibc and musl. */
static bool allow_thread(scmp_filter_ctx filter)
{
	/* Exactly the flags that both give it: all is shared, nothing is new, and it is no process. */
	const uint64_t without_meaning = CLONE_DETACHED; /* musl has it */
	const struct scmp_arg_cmp flags =
		argument(0, ~without_meaning,
	                 CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
	                         CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID);
	const struct scmp_arg_cmp of_glibc = argument(0, UINT32_MAX, SIGNAL_OF_GLIBC);
	const struct scmp_arg_cmp own = argument(0, UINT32_MAX, 0);
	return allow(filter, SCMP_SYS(clone), 1, &flags) &&
	       /* Is there a processor for it? */
	       allow(filter, SCMP_SYS(sched_getaffinity), 1, &own) &&
	       allow_all(filter, thread_calls, ARRAY_SIZE(thread_calls)) && allow_waiting(filter) &&
	       /* Its arguments lie in memory; clone() is taken then. */
	       hide(filter, SCMP_SYS(clone3), 0, NULL) &&
	       /* glibc handles this signal from the first thread on; musl gets ready for barriers. */
	       hide(filter, SCMP_SYS(rt_sigaction), 1, &of_glibc) &&
	       hide(filter, SCMP_SYS(membarrier), 0, NULL);
}

static bool allow_access(scmp_filter_ctx filter, const struct worker_access *access)
{
	return (access->input < 0 || allow_read(filter, access->input)) &&
	       (access->scratch < 0 || (allow_read(filter, access->scratch) &&
	                                allow_make(filter, access->scratch) && allow_thread(filter))) &&
	       allow_makes(filter, access->made) && (access->directory < 0 || allow_directory(filter)) &&
	       (access->server < 0 || allow_server(filter, access->server));
}

/* Those whose arguments matter. */
static bool allow_limited(scmp_filter_ctx filter, const struct worker_access *access, int output)
{
	/* Memory, never code, never a file. */
	const struct scmp_arg_cmp memory[] = {
		argument(2, PROT_EXEC, 0),
		argument(3, MAP_ANONYMOUS, MAP_ANONYMOUS),
	};
	/* fstat() of glibc 2.33 to 2.38. A path that is not empty finds out that a file exists, no more. */
	const struct scmp_arg_cmp by_descriptor = argument(3, UINT32_MAX, AT_EMPTY_PATH);
	/* pthread_once() wakes whoever may wait; nobody does, and nobody may. */
	const struct scmp_arg_cmp wake = argument(1, UINT32_MAX, FUTEX_WAKE_PRIVATE);
	const struct scmp_arg_cmp itself = argument(0, UINT32_MAX, (uint32_t)getpid());
	return allow(filter, SCMP_SYS(mmap), 2, memory) && allow(filter, SCMP_SYS(mprotect), 1, memory) &&
	       allow(filter, SCMP_SYS(newfstatat), 1, &by_descriptor) &&
	       allow(filter, SCMP_SYS(futex), 1, &wake) && allow(filter, SCMP_SYS(tgkill), 1, &itself) &&
	       allow_access(filter, access) && allow_write(filter, output) &&
	       allow_write(filter, STDERR_FILENO);
}

bool call_filter_available(void)
{
	/* KILL_PROCESS came with Linux 4.14: before it only a thread would have died. */
	return seccomp_api_get() >= 3;
}

void call_filter_install(const struct worker_access *access, int output)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	bool built = filter && seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0;
	built = built && allow_all(filter, plain_calls, ARRAY_SIZE(plain_calls));
	/* The kernel has filters (see above) and yet ours cannot be had: do not go on without one. */
	if (!built || !allow_limited(filter, access, output) || seccomp_load(filter) != 0)
		_exit(EXIT_NO_LOCKDOWN);
	/* The context is left to the end of the process: the filter may already stop what freeing it does. */
}

/*
 * What a program is denied that is not ours and works with the descriptors that it was given: ways out, and ways
 * into others. It fails there, and is not killed: libraries try many things, and go on without.
 */
static const struct plain_call denied_calls[] = {
	{ SCMP_SYS(socket), "ways out; one to a file's name needs no network" },
	{ SCMP_SYS(connect), "ways out" },
	{ SCMP_SYS(bind), "ways out" },
	{ SCMP_SYS(io_uring_setup), "makes calls that no filter sees" },
	{ SCMP_SYS(ptrace), "other processes" },
	{ SCMP_SYS(process_vm_readv), "other processes" },
	{ SCMP_SYS(process_vm_writev), "other processes" },
	{ SCMP_SYS(pidfd_getfd), "other processes" },
	{ SCMP_SYS(rt_sigqueueinfo), "other processes" },
	{ SCMP_SYS(pidfd_send_signal), "other processes" },
	{ SCMP_SYS(bpf), "the kernel" },
	{ SCMP_SYS(userfaultfd), "the kernel" },
	{ SCMP_SYS(keyctl), "the kernel" },
	{ SCMP_SYS(open_by_handle_at), "files by number, for root" },
	{ SCMP_SYS(mount), "the file system, for root" },
	{ SCMP_SYS(umount2), "the same" },
	{ SCMP_SYS(unshare), "the same" },
	{ SCMP_SYS(setns), "the same" },
};

/* The same, for one that has no threads of its own to speak of. */
static const struct plain_call denied_server_calls[] = {
	{ SCMP_SYS(socketpair), "ways out" },
	{ SCMP_SYS(kill), "other processes" },
	{ SCMP_SYS(tkill), "other processes" },
	{ SCMP_SYS(rt_tgsigqueueinfo), "other processes" },
	{ SCMP_SYS(fork), "processes; threads are made by clone()" },
	{ SCMP_SYS(vfork), "the same" },
};

static bool deny_all(scmp_filter_ctx filter, const struct plain_call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), calls[i].number, 0, NULL) != 0)
			return false;
	return true;
}

static void load(scmp_filter_ctx filter, bool built)
{
	if (!built || seccomp_load(filter) != 0)
		_exit(EXIT_NO_LOCKDOWN);
	seccomp_release(filter);
}

void call_filter_install_server(void)
{
	const struct scmp_arg_cmp no_thread = argument(0, CLONE_THREAD, 0);
	/* abort() and the like; the process that is to be executed keeps its number. */
	const struct scmp_arg_cmp other = { .arg = 0, .op = SCMP_CMP_NE, .datum_a = (uint32_t)getpid() };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	load(filter, filter &&
	                     seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
	                                            &no_thread) == 0 &&
	                     seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(tgkill), 1,
	                                            &other) == 0 &&
	                     /* Its arguments lie in memory; without it the C library takes clone(). */
	                     hide(filter, SCMP_SYS(clone3), 0, NULL) &&
	                     deny_all(filter, denied_calls, ARRAY_SIZE(denied_calls)) &&
	                     deny_all(filter, denied_server_calls, ARRAY_SIZE(denied_server_calls)));
}

void call_filter_install_machine(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	load(filter, filter && deny_all(filter, denied_calls, ARRAY_SIZE(denied_calls)));
}
