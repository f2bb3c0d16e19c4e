// What a boot on the reference machine showed: how far it came, what its console said, and what was proved of
// each device from outside. Facts, like those read from an image: they know nothing of requirements.
//
// A run is made by src/machine/ in the parent. All text of it that comes from the guest has been made
// printable.
#pragma once

#include "base/arena.h"
#include "base/place.h"

/* Where a boot has come to. A later phase that is reached says nothing of those before it that were not seen.
 */
enum run_phase {
	RUN_FIRMWARE, /* the machine was switched on */
	RUN_LOADER,   /* the boot loader spoke */
	RUN_KERNEL,   /* the kernel spoke, or took over a device */
	RUN_ROOT,     /* the root file system is mounted */
	RUN_INIT,     /* its init runs */
	RUN_LOGIN,    /* a login prompt stands on the console */
	RUN_PHASES,
};

extern const char *const run_phase_names[RUN_PHASES]; /* "firmware", "loader", "kernel", ... */

struct run_step {
	bool reached;
	double seconds;     /* since the machine was switched on */
	double cpu_seconds; /* of processor time that the machine had used by then */
	struct place place; /* what showed it: the line of the console */
};

/* How a run ended. */
enum run_end {
	RUN_NOT_STARTED = 0,
	RUN_CAME_UP,     /* a login prompt; or init runs, and the machine has become quiet */
	RUN_FAILED,      /* the console named what went wrong, see `symptoms` */
	RUN_HUNG,        /* no progress for too long, and nothing that says why */
	RUN_MACHINE,     /* the machine itself failed (QEMU died): that says nothing of the image */
	RUN_INTERRUPTED, /* by the user */
};

extern const char
	*const run_end_names[]; /* "not-started", "came-up", "failed", "hung", "machine", "interrupted" */

/* A failure that is known by its marks: see src/machine/symptoms.c. */
struct symptom {
	const char *name;    /* stable: "unable-to-mount-root" */
	const char *message; /* what happened, one sentence, no full stop */
	struct place place;  /* the line that tells it */
};

/* What can be proved of a system that runs. The names are those that a policy's Ran= takes. */
enum proof_id {
	PROOF_ACPI,         /* the kernel runs the machine through ACPI (PIIX4 power management) */
	PROOF_PNP,          /* it has the ISA devices and their interrupts from ACPI by way of PNP */
	PROOF_NET_DRIVEN,   /* virtio-net: features agreed on by a driver of an operating system, rings that
	                       move */
	PROOF_NET_CHECKSUM, /* CSUM and GUEST_CSUM agreed on, and frames that rely on it */
	PROOF_NET_TSO4,     /* HOST_TSO4 agreed on, and frames of several segments from the guest */
	PROOF_NET_GRO4,     /* GUEST_TSO4 agreed on, and frames of several segments that it acknowledged */
	PROOF_SCSI_DRIVEN,  /* virtio-scsi: as above; requests were answered */
	PROOF_SCSI_COMMAND_SETS, /* the disk driver asked for what SPC-4 and SBC-3 define, and got it */
	PROOF_SCSI_ONE_QUEUE,    /* one request queue, in use */
	PROOF_SCSI_SECTORS,      /* the disk driver asked for the sector sizes */
	PROOF_SCSI_DISKS_ONLY,   /* disks, driven as such, with nothing else on the controller */
	PROOF_SCSI_HOTPLUG,      /* both feature bits, and READs on a disk that was added while it ran */
	PROOF_SCSI_HOTUNPLUG,    /* the event of a disk that was taken away was picked up */
	PROOF_SERIAL_TTYS0,      /* driven as 16550A, with its interrupt */
	PROOF_SERIAL_TTYS1,
	PROOF_SERIAL_TTYS2,
	PROOF_SERIAL_TTYS3,
	PROOF_KVM_GUEST, /* the kernel runs paravirtualised on KVM: only a machine with KVM shows that */
	PROOF_KVM_CLOCK, /* and has its clock from there */
	PROOF_CONSOLE,   /* the kernel's own lines on ttyS0 */
	PROOF_ROOT,      /* the root file system was mounted */
	PROOF_LOGIN,     /* a login prompt on ttyS0 */
	PROOF_COUNT,
};

extern const char *const proof_names[PROOF_COUNT]; /* "acpi", "net-checksum", "serial-ttyS0", ... */

/* The proof of that name; PROOF_COUNT: there is none. */
enum proof_id proof_find(const char *name);

struct proof {
	enum answer shown;  /* NO: the opposite was seen; UNKNOWN: nothing that decides it was seen */
	const char *found;  /* "CSUM, GUEST_CSUM; 12 frames"; NULL */
	const char *reason; /* one sentence, no full stop: what was seen, or why nothing could be */
	LIST(struct place) evidence; /* paths are those below */
};

/* The paths of evidence from a run; with --keep-logs the files of these names hold it, line for line. */
#define RUN_CONSOLE_PATH "console.log" /* what came out of ttyS0, by lines */
#define RUN_QMP_PATH     "qmp.log"     /* what the machine was asked, and answered */
#define RUN_FRAMES_PATH  "frames.pcap" /* the frames on the network */

struct facts;

/* The folder of a run's files where there are several runs: "bios", "uefi", "kernel". */
const char *run_folder(const char *firmware);

/* One boot. */
struct run {
	const char *firmware; /* "BIOS", "UEFI"; "none" where the kernel was loaded directly */
	const char *machine;  /* "QEMU 10.0.2, pc, without KVM" */
	const char *appended; /* words that a user put behind the command line of its own; NULL: none */
	bool is_reference; /* is it the page's machine? Else no proof of its devices is one of the page's */
	LIST(const char *) limits; /* what this machine cannot offer of the page's, one sentence each */
	struct run_step steps[RUN_PHASES];
	enum run_end end;
	const char *ended;             /* one sentence, no full stop */
	bool answers;                  /* a service of the guest's answered on its network */
	LIST(struct symptom) symptoms; /* the first is the one that the others follow from */
	LIST(const char *) last_lines; /* of the console, ten at most; filled where it did not come up */
	struct proof proofs[PROOF_COUNT];
	const struct facts *inside;  /* the guest's own view: facts of a running machine (INPUT_LIVE); NULL */
	const char *inside_reason;   /* why there is none, though it was asked for; NULL */
	double seconds, cpu_seconds; /* in all */
	const char *logs_cut; /* why not all of those is there: "qmp.log: No space left on device"; NULL */
	const char *logs;            /* the directory that holds console.log and the others; NULL: not kept */
};
