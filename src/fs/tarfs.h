// A root file system in a tar archive, as tar would unpack it into an empty directory.
//
// A later member of a name takes the place of an earlier one, hard links share the content of an earlier
// member, missing parents are made up, and members go through symbolic links to directories inside the
// archive. What tar would refuse or put elsewhere ("..", a file for a parent) is left out and adds a problem.
#pragma once

#include "disk/tar.h"
#include "fs/fs.h"

/* Fills *fs, open; the archive and its reader are borrowed until fs_close(). ERROR_LIMIT alone. */
NODISCARD bool tarfs_open(const struct tar_archive *archive, struct budget *budget, struct arena *arena,
                          struct filesystem *fs, struct error *error);
