#include "facts/run.h"

#include "base/text.h"

const char *const run_phase_names[RUN_PHASES] = { "firmware", "loader", "kernel", "root", "init", "login" };

const char *const run_end_names[] = { "not-started", "came-up", "failed", "hung", "machine", "interrupted" };

const char *const proof_names[PROOF_COUNT] = {
	"acpi",           "pnp",          "net-driven",      "net-checksum",
	"net-tso4",       "net-gro4",     "scsi-driven",     "scsi-command-sets",
	"scsi-one-queue", "scsi-sectors", "scsi-disks-only", "scsi-hotplug",
	"scsi-hotunplug", "serial-ttyS0", "serial-ttyS1",    "serial-ttyS2",
	"serial-ttyS3",   "kvm-guest",    "kvm-clock",       "console",
	"root",           "login",
};

enum proof_id proof_find(const char *name)
{
	enum proof_id id = 0;
	while (id < PROOF_COUNT && !str_equal(proof_names[id], name))
		id++;
	return id;
}

const char *run_folder(const char *firmware)
{
	return str_equal(firmware, "BIOS") ? "bios" : str_equal(firmware, "UEFI") ? "uefi" : "kernel";
}
