// Does KVM run guests here? A device that opens says little: some are emulators that know few instructions.
#pragma once

#include "base/arena.h"

/*
 * Runs a tiny 64-bit guest that exchanges 16 bytes (lock cmpxchg16b, which kernels do) and counts for a
 * while, in a process of its own with a limit of two seconds. NULL: it came to its end. Else why KVM is of no
 * use, one sentence, no full stop; in `arena`.
 */
const char *kvm_probe(struct arena *arena);
