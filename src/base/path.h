// Paths as text: nothing is looked up.
#pragma once

#include "base/arena.h"

/*
 * What is behind a directory ("" for the root) in `path`: "", or a slash and more. NULL: the path does not
 * lie there.
 */
const char *path_below(const char *path, const char *directory);

/* Without slashes that mean nothing: "/boot//efi/" is "/boot/efi", and "/" is "". */
const char *path_plain(const char *path, struct arena *arena);
