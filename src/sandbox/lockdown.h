// Private to sandbox/: giving up everything that a worker does not need.
#pragma once

#include "sandbox/sandbox.h"

/*
 * For a fresh child: limits, descriptors, landlock, system calls; in this order, since each step takes away
 * what the ones before it needed. Layers that the kernel does not have are left out; the others hold without
 * them.
 */
void lockdown(const struct worker_access *access, int output, const struct worker_limits *limits);

/* Will lockdown() take away the file system, and filter system calls, in this build and on this kernel? */
bool lockdown_has_landlock(void);
bool lockdown_has_call_filter(void);

/* Exit status of a worker that could not be locked down although the kernel can. */
#define EXIT_NO_LOCKDOWN 78

/* call_filter.c: from here on, any other call than those of reading and computing ends the process. */
bool call_filter_available(void);
void call_filter_install(const struct worker_access *access, int output);
