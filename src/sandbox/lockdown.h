// Giving up everything that a child process does not need: private to sandbox/, and to the process of
// machine/.
#pragma once

#include <sys/types.h>

#include "sandbox/sandbox.h"

/*
 * For a fresh child: limits, descriptors, landlock, system calls; in this order, since each step takes away
 * what the ones before it needed. Layers that the kernel does not have are left out; the others hold without
 * them.
 */
void lockdown(const struct worker_access *access, int output, const struct worker_limits *limits);

/* For a fresh child of `parent`: signals as they come by default, and an end with the parent's. */
void lockdown_child(pid_t parent);

/* A limit of setrlimit(), or the lower one that stands already. */
void lockdown_limit(int number, uint64_t soft, uint64_t hard);
/* Of address space, in bytes; none under a sanitizer. */
void lockdown_limit_memory(uint64_t most);

/* Closes all descriptors from this one on. */
void lockdown_close_from(int first);

/* Closes all descriptors but these, which are put in order; -1 stands for none. */
void lockdown_close_but(int *kept, size_t count);

enum grant_right {
	GRANT_READ,
	GRANT_RUN, /* and read */
	GRANT_USE, /* of a device: read, write, and ask it for more */
};

struct file_grant {
	int descriptor; /* of a file, or a folder for all below it; -1: grants nothing */
	enum grant_right right;
};

/* A landlock domain with these rights and no others; nothing where the kernel has no landlock. */
void lockdown_files(const struct file_grant *grants, size_t count);

/* The limits of a program that is not ours: processor time, memory, some descriptors, and no file written. */
void lockdown_server_limits(const struct worker_limits *limits);

/* Takes root's capabilities from it, but the one to read; no_new_privs keeps them away when it is executed.
 */
void lockdown_server_capabilities(void);

/* Takes all of them: what a machine reads is open, or is everybody's to read. */
void lockdown_machine_capabilities(void);

/*
 * The limits of a machine: a guest can fill its disk, `overlay` (-1: none), and have QEMU take memory for
 * what it says. A write that is too much fails; it is no signal. Stays when it is executed.
 */
void lockdown_machine_limits(int overlay);

/* What a machine has of its own to open again by name: "/proc/self/fd/7". */
#define MACHINE_READS 4

/*
 * For a machine that its guest may have taken over, before `program` is executed: it may open, for reading
 * alone, its own program, the system's libraries and firmware (all of /usr), what the kernel shows of the
 * processors, and the files of `reads` (-1: none); and use /dev/kvm and /dev/null. It makes no socket. The
 * descriptors that it has stay as they are. It takes no_new_privs before.
 */
void lockdown_machine(const char *program, const int reads[MACHINE_READS]);

/* Will lockdown() take away the file system, and filter system calls, in this build and on this kernel? */
bool lockdown_has_landlock(void);
bool lockdown_has_call_filter(void);

/* Exit status of a worker that could not be locked down although the kernel can. */
#define EXIT_NO_LOCKDOWN 78

/* call_filter.c: from here on, any other call than those of reading and computing ends the process. */
bool call_filter_available(void);
void call_filter_install(const struct worker_access *access, int output);

/* For a program that is not ours, before it is started: denies what no reader of a file needs. */
void call_filter_install_server(void);

/* The same for the machine, which has processes to signal: its own threads. */
void call_filter_install_machine(void);
