// The UEFI firmware for guests: OVMF, or AAVMF as it is called on arm64.
#pragma once

#include <stdbool.h>

#include "base/arena.h"

/*
 * Looks where the distributions put it, below `root` ("" but in tests): the code and the variables that go
 * with it, both raw images of flash. False: there is none.
 */
NODISCARD bool ovmf_find(const char *root, const char *arch, struct arena *arena, const char **code,
                         const char **vars);

/* That there is none, and what to install; one sentence, no full stop. */
const char *ovmf_missing(const char *arch);
