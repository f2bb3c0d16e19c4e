// The library behind nbd.c. It brings some twenty others with it, so it is loaded when a disk needs it and
// not whenever slipway starts; and before the worker that uses it is locked down.
#pragma once

#include "base/error.h"

/* ERROR_UNSUPPORTED, with what to install, when it is not there. */
NODISCARD bool nbd_library_load(struct error *error);
