#include "machine/kvm_probe.h"

#if defined(__x86_64__)

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/lockdown.h"

/* What the child found, as its exit status. */
enum finding {
	WORKS = 0,
	NO_DEVICE = 10,
	NO_PERMISSION,
	NOT_OPENED,
	NO_MACHINE,
	NO_PROCESSOR,
	STOPPED,
	WRONG_RESULT,
};

#define SECONDS_MOST 2

/* The guest's memory, one page each. */
#define PAGE       4096u
#define MEMORY     (8 * PAGE)
#define TABLE_4    (1 * PAGE) /* page tables: one entry each, which maps the first 2 MiB as they are */
#define TABLE_3    (2 * PAGE)
#define TABLE_2    (3 * PAGE)
#define OPERAND    (4 * PAGE)
#define CODE       (5 * PAGE)
#define STACK      (7 * PAGE)
#define CPUID_MOST 256
#define VALUE_LOW  UINT64_C(0x1122334455667788)
#define VALUE_HIGH UINT64_C(0x99aabbccddeeff00)

/* Ten million rounds: some milliseconds on a processor, many seconds where each instruction is emulated. */
static const uint8_t code[] = {
	0xf0, 0x48, 0x0f, 0xc7, 0x0f, /* lock cmpxchg16b [rdi]: 0 is there, as in rdx:rax */
	0xb9, 0x80, 0x96, 0x98, 0x00, /* mov ecx, 10000000 */
	0xff, 0xc9,                   /* dec ecx */
	0x75, 0xfc,                   /* jnz, back to dec */
	0xf4,                         /* hlt */
};

static void put64(uint8_t *memory, size_t offset, uint64_t value)
{
	memcpy(memory + offset, &value, sizeof(value));
}

/* Present and writable; in the last table a page of 2 MiB. */
static void fill_memory(uint8_t *memory)
{
	put64(memory, TABLE_4, TABLE_3 | 3);
	put64(memory, TABLE_3, TABLE_2 | 3);
	put64(memory, TABLE_2, 0x80 | 3);
	memcpy(memory + CODE, code, sizeof(code));
}

static bool set_cpuid(int kvm, int processor)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + CPUID_MOST * sizeof(struct kvm_cpuid_entry2));
	if (!cpuid)
		return false;
	cpuid->nent = CPUID_MOST;
	bool done = ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) == 0 &&
	            ioctl(processor, KVM_SET_CPUID2, cpuid) == 0;
	free(cpuid);
	return done;
}

/* 64-bit mode at once, as no real machine starts. */
static bool set_registers(int processor)
{
	struct kvm_sregs special;
	if (ioctl(processor, KVM_GET_SREGS, &special) != 0)
		return false;
	const struct kvm_segment code_segment = {
		.limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1
	};
	struct kvm_segment data_segment = code_segment;
	data_segment.selector = 16;
	data_segment.type = 3;
	data_segment.l = 0;
	data_segment.db = 1;
	special.cs = code_segment;
	special.ds = special.es = special.fs = special.gs = special.ss = data_segment;
	special.cr3 = TABLE_4;
	special.cr4 = 1u << 5;                /* PAE */
	special.cr0 = 1u << 31 | 1u << 4 | 1; /* PG, ET, PE */
	special.efer = 1u << 10 | 1u << 8;    /* LMA, LME */
	struct kvm_regs general = {
		.rip = CODE, .rsp = STACK, .rflags = 2, .rdi = OPERAND, .rbx = VALUE_LOW, .rcx = VALUE_HIGH
	};
	return ioctl(processor, KVM_SET_SREGS, &special) == 0 &&
	       ioctl(processor, KVM_SET_REGS, &general) == 0;
}

static enum finding run_guest(int kvm, int machine, uint8_t *memory)
{
	int processor = ioctl(machine, KVM_CREATE_VCPU, 0ul);
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0ul);
	if (processor < 0 || size < (int)sizeof(struct kvm_run))
		return NO_PROCESSOR;
	struct kvm_run *run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, processor, 0);
	if (run == MAP_FAILED || !set_cpuid(kvm, processor) || !set_registers(processor))
		return NO_PROCESSOR;
	if (ioctl(processor, KVM_RUN, 0ul) != 0 || run->exit_reason != KVM_EXIT_HLT)
		return STOPPED;
	const uint64_t wanted[2] = { VALUE_LOW, VALUE_HIGH };
	return memcmp(memory + OPERAND, wanted, sizeof(wanted)) == 0 ? WORKS : WRONG_RESULT;
}

static enum finding probe(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return errno == ENOENT || errno == ENXIO || errno == ENODEV ? NO_DEVICE
		       : errno == EACCES || errno == EPERM                  ? NO_PERMISSION
		                                                            : NOT_OPENED;
	if (ioctl(kvm, KVM_GET_API_VERSION, 0ul) != KVM_API_VERSION)
		return NO_MACHINE;
	int machine = ioctl(kvm, KVM_CREATE_VM, 0ul);
	uint8_t *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (machine < 0 || memory == MAP_FAILED)
		return NO_MACHINE;
	fill_memory(memory);
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY,
		                                      .userspace_addr = (uintptr_t)memory };
	if (ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region) != 0)
		return NO_MACHINE;
	/* Processors of Intel want three pages for themselves, outside of the guest's memory. */
	(void)!ioctl(machine, KVM_SET_TSS_ADDR, 0xfffbd000ul);
	return run_guest(kvm, machine, memory);
}

NORETURN static void be_probe(pid_t parent)
{
	lockdown_child(parent);
	const struct rlimit no_core = { 0, 0 };
	setrlimit(RLIMIT_CORE, &no_core);
	const struct itimerval alarm = { .it_value = { .tv_sec = SECONDS_MOST } };
	setitimer(ITIMER_REAL, &alarm, NULL);
	_exit((int)probe());
}

/*
 * Its status as waitpid() has it; -1: it did not end. Its own timer ends it, but not while a driver holds it
 * in the kernel: such a one is left behind, killed and unwaited for.
 */
static int wait_for(pid_t child)
{
	int status = -1, pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	bool ended = pidfd < 0 || poll(&end, 1, (SECONDS_MOST + 1) * 1000) != 0;
	if (pidfd >= 0)
		close(pidfd);
	if (!ended)
		kill(child, SIGKILL);
	while (waitpid(child, &status, ended ? 0 : WNOHANG) < 0 && errno == EINTR)
		;
	return ended ? status : -1;
}

static const char *reason_of(int status, struct arena *arena)
{
	if (status < 0 || WIFSIGNALED(status))
		return arena_printf(
			arena,
			"KVM does not finish a short loop within %d seconds here: it does not run "
			"on the processor itself",
			SECONDS_MOST);
	switch ((enum finding)WEXITSTATUS(status)) {
	case WORKS:
		return NULL;
	case NO_DEVICE:
		return "there is no /dev/kvm";
	case NO_PERMISSION:
		return "this user may not open /dev/kvm: that takes the group 'kvm' on most systems";
	case NOT_OPENED:
	case NO_MACHINE:
		return "/dev/kvm gives no virtual machine";
	case NO_PROCESSOR:
		return "/dev/kvm gives no processor that runs 64-bit code";
	case STOPPED:
		return "KVM stops here in a guest of five ordinary instructions (lock cmpxchg16b is one)";
	case WRONG_RESULT:
		break;
	}
	return "KVM computes a wrong result here (of lock cmpxchg16b)";
}

const char *kvm_probe(struct arena *arena)
{
	struct sigaction told = { .sa_handler = SIG_DFL }, before;
	sigaction(SIGCHLD, &told, &before);
	pid_t parent = getpid();
	pid_t child = fork();
	if (child == 0)
		be_probe(parent);
	const char *reason =
		child < 0 ? "no process could be had to try KVM" : reason_of(wait_for(child), arena);
	sigaction(SIGCHLD, &before, NULL);
	return reason;
}

#else

const char *kvm_probe(struct arena *arena)
{
	(void)arena;
	return "KVM is used on x86-64 alone";
}

#endif
