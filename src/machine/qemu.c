#include "machine/qemu.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "machine/kvm_probe.h"
#include "machine/ovmf.h"
#include "machine/qemu_ask.h"
#include "machine/tcg_probe.h"
#include "sandbox/server.h"

/* A start takes some ten milliseconds: whoever needs longer than this on a busy machine will not boot on it.
 */
#define PATIENCE 30.0

static const struct architecture {
	const char *arch, *guests, *program, *machine, *packages;
	bool is_reference;
} architectures[] = {
	{ "x86_64", "x86_64", "qemu-system-x86_64", "pc",
	  "Debian, Ubuntu: qemu-system-x86; Fedora: qemu-system-x86-core; Alpine: qemu-system-x86_64", true },
	{ "i386", "x86_64", "qemu-system-x86_64", "pc",
	  "Debian, Ubuntu: qemu-system-x86; Fedora: qemu-system-x86-core; Alpine: qemu-system-x86_64", true },
	{ "arm64", "arm64", "qemu-system-aarch64", "virt",
	  "Debian, Ubuntu: qemu-system-arm; Fedora: qemu-system-aarch64-core; Alpine: qemu-system-aarch64",
	  false },
};

/* Without one of these there is no machine to speak of. A NULL property: the device itself. */
static const struct {
	const char *device, *property;
	bool reference_alone;
} required[] = {
	{ "virtio-scsi-pci", "num_queues", false },   { "scsi-hd", "physical_block_size", false },
	{ "virtio-net-pci", "mac", false },           { "virtio-scsi-pci", "disable-modern", true },
	{ "virtio-net-pci", "disable-modern", true }, { "isa-serial", "irq", true },
};

/* What can be missing, and what of the page's machine is missing with it; NULL: nothing. */
static const struct {
	const char *question, *property;
	size_t offset;
	const char *limit;
} optional[] = {
	{ "machine", "x-south-bridge", offsetof(struct qemu, piix4_isa),
	  "this QEMU has no PIIX4 ISA bridge (a property x-south-bridge of its machine): the guest sees "
	  "PIIX3" },
	{ "machine", "hpet", offsetof(struct qemu, has.hpet), NULL },
	{ "machine", "vmport", offsetof(struct qemu, has.vmport), NULL },
	{ "machine", "usb", offsetof(struct qemu, has.usb), NULL },
	{ "isa-fdc", "irq", offsetof(struct qemu, has.floppy_irq),
	  "this QEMU cannot move the floppy controller from interrupt 6, which it shares with ttyS2" },
	{ "virtio-rng-pci", NULL, offsetof(struct qemu, has.rng), "this QEMU has no virtio-rng" },
	{ "root-ports", "pcie-root-port", offsetof(struct qemu, has.root_port), NULL },
	{ "scsi-hd", "scsi_version", offsetof(struct qemu, has.scsi_version),
	  "the disk of this QEMU cannot say SPC-4" },
	{ "scsi-hd", "rotation_rate", offsetof(struct qemu, has.rotation_rate), NULL },
	{ "scsi-hd", "device_id", offsetof(struct qemu, has.device_id), NULL },
	{ "virtio-scsi-pci", "hotplug", offsetof(struct qemu, has.hotplug),
	  "the SCSI controller of this QEMU has no hot-plug" },
	{ "virtio-scsi-pci", "param_change", offsetof(struct qemu, has.param_change), NULL },
};

/* Of any QEMU. */
static const char *const standing_limits[] = {
	"the ISA bridge has revision 00, and on the platform revision 03",
	"there is an IDE controller without disks (PIIX function 1), which the platform does not have",
	"the version descriptors of the disk's INQUIRY are zero, and do not name SPC-4 and SBC-3",
};

/* With why: who could have KVM would rather know. */
#define NO_KVM_LIMIT                                                                                         \
	"without KVM there is no paravirtual clock (kvm-clock), and what a guest does with it is not seen: " \
	"%s"
static const char no_cx16_limit[] = "this QEMU emulates the instruction cmpxchg16b wrongly, at which kernels "
				    "of today crash: the guest's processor "
				    "is one without it, and so none of x86-64-v2";
/* Of virt. */
static const char *const virt_limits[] = {
	"QEMU's virt machine stands in for the platform's arm64 machines, whose devices the page does not "
	"list: "
	"what its devices show decides nothing",
	"there is no gVNIC network card in QEMU: the guest has virtio-net in its place",
};

static void add_limit(struct arena *arena, struct qemu *qemu, const char *limit)
{
	*LIST_ADD(arena, &qemu->limits) = limit;
}

static bool *member(struct qemu *qemu, size_t offset)
{
	return (bool *)(void *)((char *)qemu + offset);
}

static bool has(const struct qemu_answers *answers, const char *question, const char *property)
{
	return property ? qemu_lists(answers, question, "name", property) : qemu_answered(answers, question);
}

static bool check_required(const struct qemu_answers *answers, const struct architecture *architecture,
                           const char *program, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(required); i++) {
		if (required[i].reference_alone && !architecture->is_reference)
			continue;
		if (!qemu_answered(answers, required[i].device))
			return error_set(error, ERROR_UNSUPPORTED,
			                 "%s has no %s: install a QEMU that was built with it (%s)", program,
			                 required[i].device, architecture->packages);
		if (!has(answers, required[i].device, required[i].property))
			return error_set(error, ERROR_UNSUPPORTED,
			                 "the %s of %s has no %s: it is too old, install a newer QEMU",
			                 required[i].device, program, required[i].property);
	}
	return true;
}

static bool choose_accelerator(const struct qemu_answers *answers, struct arena *arena, struct qemu *qemu,
                               struct error *error)
{
	bool kvm = qemu_lists(answers, "accelerators", "name", "kvm-accel");
	if (!kvm)
		qemu->accelerator_reason = "this QEMU was built without KVM";
	else if (!qemu->is_reference)
		qemu->accelerator_reason = "KVM is used for guests of x86-64 alone";
	else
		qemu->accelerator_reason = kvm_probe(arena);
	if (!qemu->accelerator_reason) {
		qemu->accelerator = QEMU_KVM;
		return true;
	}
	qemu->accelerator = QEMU_TCG;
	return qemu_lists(answers, "accelerators", "name", "tcg-accel") ||
	       error_set(error, ERROR_UNSUPPORTED,
	                 "%s was built without emulation (TCG), and there is no KVM for it: %s",
	                 qemu->program, qemu->accelerator_reason);
}

static void take_features(const struct qemu_answers *answers, struct arena *arena, struct qemu *qemu)
{
	qemu->has.sandbox = qemu_lists(answers, "options", "option", "sandbox");
	qemu->has.user_network = qemu_answered(answers, "user-network");
	for (size_t i = 0; i < ARRAY_SIZE(virt_limits) && !qemu->is_reference; i++)
		add_limit(arena, qemu, virt_limits[i]);
	for (size_t i = 0; i < ARRAY_SIZE(optional); i++) {
		bool found = has(answers, optional[i].question, optional[i].property);
		*member(qemu, optional[i].offset) = found;
		if (!found && optional[i].limit && qemu->is_reference)
			add_limit(arena, qemu, optional[i].limit);
	}
	for (size_t i = 0; i < ARRAY_SIZE(standing_limits) && qemu->is_reference; i++)
		add_limit(arena, qemu, standing_limits[i]);
	qemu->no_cx16 = qemu->accelerator != QEMU_KVM && qemu->is_reference &&
	                tcg_probe(qemu->program, arena) == ANSWER_NO;
	if (qemu->no_cx16)
		add_limit(arena, qemu, no_cx16_limit);
	if (qemu->accelerator != QEMU_KVM && qemu->is_reference)
		add_limit(arena, qemu, arena_printf(arena, NO_KVM_LIMIT, qemu->accelerator_reason));
}

static bool fill(const struct qemu_answers *answers, const struct architecture *architecture,
                 struct arena *arena, struct qemu *out, struct error *error)
{
	out->version = answers->version ? answers->version : "of an unknown version";
	out->arch = architecture->guests;
	out->is_reference = architecture->is_reference;
	if (!check_required(answers, architecture, out->program, error) ||
	    !choose_accelerator(answers, arena, out, error))
		return false;
	take_features(answers, arena, out);
	(void)!ovmf_find("", out->arch, arena, &out->ovmf_code, &out->ovmf_vars);
	return true;
}

const char *qemu_console(const struct qemu *qemu)
{
	return qemu->is_reference ? "ttyS0" : "ttyAMA0";
}

bool qemu_find(const char *arch, struct arena *arena, struct qemu *out, struct error *error)
{
	const struct architecture *architecture = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(architectures) && !architecture; i++)
		if (str_equal(architectures[i].arch, arch))
			architecture = &architectures[i];
	*out = (struct qemu){ 0 };
	if (!architecture)
		return error_set(error, ERROR_UNSUPPORTED, "there is no machine for %s systems", arch);
	out->program = server_find(architecture->program, arena);
	if (!out->program)
		return error_set(error, ERROR_NOT_FOUND, "%s is not in PATH: install QEMU (%s)",
		                 architecture->program, architecture->packages);
	struct qemu_answers answers;
	if (!qemu_ask(out->program, architecture->machine, PATIENCE, arena, &answers, error))
		return false;
	bool found = fill(&answers, architecture, arena, out, error);
	json_decref(answers.replies);
	return found;
}
