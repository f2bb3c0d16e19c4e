// A root file system in a tar archive, as tar would unpack it into an empty directory.
//
// A later member of a name takes the place of an earlier one, hard links share the content of an earlier
// member, missing parents are made up, and members go through symbolic links to directories inside the
// archive. What tar would refuse or put elsewhere ("..", a file for a parent) is left out and adds a problem.
// The name of a member whose content is elsewhere, a hard link to what is not there, leads to an error.
//
// Of an archive with a gap, what is in its index is there, although a member behind the gap might replace it:
// few archives have a name twice. What is not in the index is not missing: looking for it is an error, and so
// is the end of every directory's listing.
#pragma once

#include "disk/tar.h"
#include "fs/fs.h"

/*
 * Why members may be missing of the archive: it is cut or damaged, has no end mark, as one that is cut
 * between two members, or goes on from another volume. One sentence, in the arena; NULL where all are there.
 */
const char *tarfs_gap(const struct tar_archive *archive, struct arena *arena);

/* Fills *fs, open; the archive and its reader are borrowed until fs_close(). ERROR_LIMIT alone. */
NODISCARD bool tarfs_open(const struct tar_archive *archive, struct budget *budget, struct arena *arena,
                          struct filesystem *fs, struct error *error);
