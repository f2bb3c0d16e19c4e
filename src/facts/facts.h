// Everything known of one input, each fact with its place. Facts know nothing of requirements.
//
// The worker gathers them, the wire carries them by the table of fields in schema.c, the policy judges them,
// and `inspect` prints them.
#pragma once

#include "boot/boot.h"
#include "disk/disk.h"
#include "live/hardware.h"
#include "os/kernel.h"
#include "os/sysctl.h"
#include "os/system.h"
#include "volume/volume.h"

enum input_kind {
	INPUT_UNKNOWN,
	INPUT_DISK,
	INPUT_KERNEL,
	INPUT_CONFIG,
	INPUT_TREE,
	INPUT_LIVE,
};

enum examined {
	EXAMINED_NONE,
	EXAMINED_PARTIAL,
	EXAMINED_FULL,
};

struct facts {
	enum input_kind kind;
	enum examined examined;
	const char *reason; /* why not full: one sentence; NULL when full */
	const char *container;
	enum served
		served; /* not SERVED_NOT: nothing was examined, since a server has to read this container */
	uint64_t size;  /* of the guest-visible disk, bytes */
	uint64_t bytes_read; /* from the input */
	struct packing packing;
	struct partition_table table;
	struct boot boot;
	LIST(struct kernel) kernels;
	LIST(struct sysctl) sysctls; /* what the files alone say, where no kernel is judged */
	struct os os;
	struct fstab fstab;
	struct observations observations;
	struct hardware hardware;      /* of the running machine */
	LIST(struct problem) problems; /* of file systems and of reading */
};

/* What the caller wants to know; readers look for nothing else in large places. */
struct questions {
	struct names symbols;       /* kernel configuration symbols, without CONFIG_ */
	struct names modules;       /* kernel modules, with '_' */
	struct names early_modules; /* those of them that the initramfs has to carry */
	struct names sysctls;       /* keys with dots */
	const char *kernel;         /* judge the kernel of this version; NULL: the default entry's */
	bool all_kernels;
	bool everything; /* for inspect: all sysctls, the whole initramfs */
};

/* Called after each stage with what is known so far: a later crash loses nothing. */
typedef void facts_checkpoint_fn(void *context, const struct facts *facts);

/*
 * Reads one input and fills *facts; never fails as a whole: what went wrong is in
 * `examined`, `reason` and the problems. Strings live in `arena`.
 */
void facts_gather(const struct input *input, const struct questions *questions,
                  facts_checkpoint_fn *checkpoint, void *context, struct arena *arena, struct facts *facts);
