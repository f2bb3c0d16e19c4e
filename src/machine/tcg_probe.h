// Does QEMU's emulation compute as a processor does? One of before 8.0 does not: after cmpxchg16b the flags
// are what another register held, and a kernel that an interrupt meets there dies of it, sooner or later.
// Kernels of today execute it in every allocation.
#pragma once

#include "base/arena.h"
#include "base/place.h"

/*
 * Starts `program` with a guest of some sixty instructions as its firmware, which takes a quarter of a
 * second. NO: the flags are wrong; UNKNOWN: the guest did not come to its end.
 */
enum answer tcg_probe(const char *program, struct arena *arena);
