#include "sandbox/lockdown.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/compiler.h"

/* Descriptors above this one are closed only where the kernel has close_range() (5.9). */
#define DESCRIPTORS_MOST 65536u

/* Descriptors are numbered from the lowest free one: those of the worker, and a handful of open files. */
#define DIRECTORY_FILES 64
#define SERVER_FILES    64

/* What setrlimit() takes: an enumeration of its own in glibc, and an int elsewhere. */
#ifdef __GLIBC__
typedef __rlimit_resource_t resource_number;
#else
typedef int resource_number;
#endif

void lockdown_limit(int number, uint64_t soft, uint64_t hard)
{
	resource_number resource = (resource_number)number;
	struct rlimit limit = { .rlim_cur = soft, .rlim_max = hard };
	/* Where a lower hard limit stands already, that one is as good. */
	if (setrlimit(resource, &limit) != 0 && getrlimit(resource, &limit) == 0 && limit.rlim_cur > soft) {
		limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
		(void)!setrlimit(resource, &limit);
	}
}

void lockdown_limit_memory(uint64_t most)
{
	if (!UNDER_SANITIZER)
		lockdown_limit(RLIMIT_AS, most, most);
}

static void set_limits(const struct worker_limits *limits, uint64_t files)
{
	if (limits->memory_bytes)
		lockdown_limit_memory(limits->memory_bytes);
	/* SIGXCPU at the soft limit tells what happened; the hard one is for a worker that blocks it. */
	lockdown_limit(RLIMIT_CPU, limits->cpu_seconds, limits->cpu_seconds + 1);
	lockdown_limit(RLIMIT_CORE, 0, 0);
	lockdown_limit(RLIMIT_NOFILE, files, files);
}

void lockdown_server_limits(const struct worker_limits *limits)
{
	set_limits(limits, SERVER_FILES);
	lockdown_limit(RLIMIT_FSIZE, 0, 0);
}

/* Takes all of root's capabilities but those of the mask. */
static void keep_capabilities(uint32_t kept)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	if (syscall(SYS_capget, &header, data) != 0)
		return;
	data[0].effective &= kept;
	data[0].permitted &= kept;
	data[0].inheritable = 0;
	data[1] = (struct __user_cap_data_struct){ 0 };
	if (syscall(SYS_capset, &header, data) != 0)
		_exit(EXIT_NO_LOCKDOWN);
}

void lockdown_server_capabilities(void)
{
	/* Opening a file again that is open already, whoever owns it: "sudo slipway check" is usual. */
	keep_capabilities(UINT32_C(1) << CAP_DAC_READ_SEARCH);
}

void lockdown_machine_capabilities(void)
{
	keep_capabilities(0);
}

static void close_between(unsigned first, unsigned last)
{
	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	for (unsigned descriptor = first; descriptor <= last && descriptor < DESCRIPTORS_MOST; descriptor++)
		close((int)descriptor);
}

void lockdown_close_from(int first)
{
	close_between((unsigned)first, ~0u);
}

/* Handlers of the parent's have no business in the child; a signal there means what it says. */
static void reset_signals(void)
{
	for (int signal_number = 1; signal_number < NSIG; signal_number++)
		signal(signal_number, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void lockdown_child(pid_t parent)
{
	reset_signals();
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(EXIT_FAILURE); /* it died before the line above */
}

static int compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return (x > y) - (x < y);
}

void lockdown_close_but(int *kept, size_t count)
{
	qsort(kept, count, sizeof(kept[0]), compare_ints);
	unsigned next = 0;
	for (size_t i = 0; i < count; i++) {
		if (kept[i] < 0)
			continue;
		if ((unsigned)kept[i] > next)
			close_between(next, (unsigned)kept[i] - 1);
		next = (unsigned)kept[i] + 1;
	}
	close_between(next, ~0u);
}

/* All but stderr, for the one message of xmalloc(), and those that the worker works with. */
static void close_others(const struct worker_access *access, int output)
{
	_Static_assert(WORKER_FILES == 3, "all that are made are kept");
	int kept[] = { STDERR_FILENO,  output,          access->input,   access->scratch, access->directory,
		       access->server, access->made[0], access->made[1], access->made[2] };
	lockdown_close_but(kept, ARRAY_SIZE(kept));
}

/* LANDLOCK_ACCESS_FS_IOCTL_DEV, of ABI 5, which is younger than the headers that we build with. */
#define LANDLOCK_DEVICES (UINT64_C(1) << 15)

static long landlock_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* Grants what the kernel lets be granted of a file, or of all files below a folder. */
static void grant_file(int ruleset, uint64_t handled, const struct file_grant *grant)
{
	struct stat status;
	if (grant->descriptor < 0 || fstat(grant->descriptor, &status) != 0)
		return;
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = grant->descriptor,
	};
	if (grant->right == GRANT_RUN)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_EXECUTE;
	if (grant->right == GRANT_USE)
		rule.allowed_access |= LANDLOCK_ACCESS_FS_WRITE_FILE | (LANDLOCK_DEVICES & handled);
	if (S_ISDIR(status.st_mode))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	/* Without its rule less is allowed, never more. */
	syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/*
 * A landlock domain that handles every right the kernel knows and grants those only. The rights are
 * numbered in the order of the kernel's ABI versions (Documentation/userspace-api/landlock.rst), so that
 * those younger than our headers are taken away as well.
 */
void lockdown_files(const struct file_grant *grants, size_t count)
{
	static const unsigned file_rights[] = { 0, 13, 14, 15, 15, 16 };
	long abi = landlock_abi();
	if (abi < 1)
		return;
	size_t known = (size_t)abi < ARRAY_SIZE(file_rights) ? (size_t)abi : ARRAY_SIZE(file_rights) - 1;
	struct {
		uint64_t handled_file_rights;
		uint64_t handled_net_rights; /* since 4: bind and connect of TCP */
		uint64_t scoped;             /* since 6: abstract sockets, signals */
	} ruleset = {
		.handled_file_rights = (UINT64_C(1) << file_rights[known]) - 1,
		.handled_net_rights = abi >= 4 ? 3 : 0,
		.scoped = abi >= 6 ? 3 : 0,
	};
	size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
	long descriptor = syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
	if (descriptor < 0)
		return;
	for (size_t i = 0; i < count; i++)
		grant_file((int)descriptor, ruleset.handled_file_rights, &grants[i]);
	syscall(SYS_landlock_restrict_self, (int)descriptor, 0);
	close((int)descriptor);
}

bool lockdown_has_landlock(void)
{
	return landlock_abi() >= 1;
}

bool lockdown_has_call_filter(void)
{
	return !UNDER_SANITIZER && call_filter_available();
}

void lockdown(const struct worker_access *access, int output, const struct worker_limits *limits)
{
	close_others(access, output);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	const struct file_grant directory = { access->directory, GRANT_READ };
	lockdown_files(&directory, 1);
	set_limits(limits, access->directory >= 0 ? DIRECTORY_FILES : 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (lockdown_has_call_filter())
		call_filter_install(access, output);
}
