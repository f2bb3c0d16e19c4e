// A recorded machine of the platform, changed by a test, and what is judged of it.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "findings.h"

#include "live/machine.h"
#include "memory_fs.h"
#include "policy/policy.h"

#define PLATFORM "/sys/class/dmi/id/product_name"
#define SCSI     "/sys/devices/pci0000:00/0000:00:03.0/virtio0"
#define NET      "/sys/devices/pci0000:00/0000:00:04.0/virtio1"
#define OFFLOADS "lo rx-gro\nens4 tx-checksum-ip-generic rx-gro tx-tcp-segmentation -rx-gro-list\n"

/* A kernel that has everything, so that only what is seen can make a rule fail. */
static const char config[] =
	"# Linux/x86 6.1.0 Kernel Configuration\nCONFIG_X86_64=y\n"
	"CONFIG_PCI=y\nCONFIG_ACPI=y\nCONFIG_PNP=y\nCONFIG_PNPACPI=y\nCONFIG_INET=y\n"
	"CONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_PCI_LEGACY=y\nCONFIG_VIRTIO_NET=y\n"
	"CONFIG_SCSI=y\nCONFIG_SCSI_VIRTIO=y\nCONFIG_BLK_DEV_SD=y\nCONFIG_SERIAL_8250=y\n"
	"CONFIG_SERIAL_8250_CONSOLE=y\nCONFIG_SERIAL_8250_PNP=y\n"
	"CONFIG_SERIAL_8250_NR_UARTS=4\nCONFIG_SERIAL_8250_RUNTIME_UARTS=4\n";

struct bench {
	struct memory_fs files;
	struct arena arena;
	struct budget budget;
	struct policy policy;
	struct facts facts;
	struct judgement judgement;
	struct machine_answers answers;
};

static char offloads[] = OFFLOADS;

static inline struct bench bench_open(void)
{
	struct error error = { 0 };
	struct bench bench = { .answers = { .offloads = offloads }, .budget = budget_default() };
	if (!policy_builtin(&bench.policy, &error))
		fail_msg("%s", error.message);
	return bench;
}

static inline void bench_close(struct bench *bench)
{
	policy_free(&bench->policy);
	memory_free(&bench->files);
	arena_free(&bench->arena);
}

static inline void read_machine(struct bench *bench)
{
	struct tree tree = memory_tree(&bench->files);
	hardware_read(&tree, &bench->answers, &bench->budget, &bench->arena, &bench->facts.hardware);
}

static inline void judge_as(struct bench *bench, const char *arch, const char *configuration)
{
	struct facts *facts = &bench->facts;
	facts->kind = INPUT_LIVE;
	facts->examined = EXAMINED_FULL;
	struct kernel *kernel = LIST_ADD(&bench->arena, &facts->kernels);
	kernel->version = "6.1.0";
	kernel->arch = arch;
	kernel->judged = true;
	kernel_config_parse(span_text(configuration), NULL, &bench->arena, &kernel->config);
	kernel->config.source = kernel->config.place.path = "/proc/config.gz";
	policy_judge(&bench->policy, facts, &bench->arena, &bench->judgement);
}

static inline void judge(struct bench *bench)
{
	read_machine(bench);
	judge_as(bench, "x86_64", config);
}

static inline const struct finding *finding_of(const struct bench *bench, const char *id)
{
	return find_finding(&bench->judgement, id);
}

static inline void expect(const struct bench *bench, const char *id, enum verdict verdict, const char *how,
                          const char *reason)
{
	const struct finding *finding = finding_of(bench, id);
	if (finding->verdict != verdict || !str_equal(finding->reason, reason) ||
	    !str_equal(finding->how, how))
		fail_msg("%s: %s (%s): %s\n  expected %s (%s): %s", id, verdict_names[finding->verdict],
		         finding->how, finding->reason, verdict_names[verdict], how, reason);
}

static const char *const hardware_rules[] = {
	"hardware.pci-bridge",     "hardware.isa-bridge",           "hardware.net.virtio",
	"hardware.net.gvnic",      "hardware.net.checksum-offload", "hardware.net.tso4",
	"hardware.net.gro4",       "hardware.scsi.virtio",          "hardware.scsi.command-sets",
	"hardware.scsi.one-queue", "hardware.scsi.sectors",         "hardware.scsi.disks-only",
	"hardware.scsi.hotplug",   "hardware.serial.count",         "hardware.serial.ttyS0",
	"hardware.serial.ttyS1",   "hardware.serial.ttyS2",         "hardware.serial.ttyS3",
};
