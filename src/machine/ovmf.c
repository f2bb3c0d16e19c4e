#include "machine/ovmf.h"

#include <unistd.h>

#include "base/text.h"

/*
 * The builds of 4 MiB stand before the older ones of 2 MiB, which are too small for what distributions enrol,
 * and none has Secure Boot enforced: without the system management mode that this machine lacks, those builds
 * do not start.
 */
static const struct {
	const char *arch, *folder, *code, *vars;
} places[] = {
	/* Debian, Ubuntu; the names without 4M are those of Alpine, too. */
	{ "x86_64", "/usr/share/OVMF", "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd" },
	{ "x86_64", "/usr/share/OVMF", "OVMF_CODE.fd", "OVMF_VARS.fd" },
	/* Fedora, whose builds of 4 MiB are qcow2. */
	{ "x86_64", "/usr/share/edk2/ovmf", "OVMF_CODE.fd", "OVMF_VARS.fd" },
	/* SUSE */
	{ "x86_64", "/usr/share/qemu", "ovmf-x86_64-4m-code.bin", "ovmf-x86_64-4m-vars.bin" },
	{ "x86_64", "/usr/share/qemu", "ovmf-x86_64-code.bin", "ovmf-x86_64-vars.bin" },
	/* Arch; Gentoo */
	{ "x86_64", "/usr/share/edk2/x64", "OVMF_CODE.4m.fd", "OVMF_VARS.4m.fd" },
	{ "x86_64", "/usr/share/edk2/x64", "OVMF_CODE.fd", "OVMF_VARS.fd" },
	{ "x86_64", "/usr/share/edk2-ovmf/x64", "OVMF_CODE.fd", "OVMF_VARS.fd" },
	{ "x86_64", "/usr/share/edk2/OvmfX64", "OVMF_CODE.fd", "OVMF_VARS.fd" },
	{ "x86_64", "/usr/share/edk2-ovmf", "OVMF_CODE.fd", "OVMF_VARS.fd" },
	/* What QEMU itself comes with. */
	{ "x86_64", "/usr/share/qemu", "edk2-x86_64-code.fd", "edk2-i386-vars.fd" },
	{ "x86_64", "/usr/local/share/qemu", "edk2-x86_64-code.fd", "edk2-i386-vars.fd" },

	{ "arm64", "/usr/share/AAVMF", "AAVMF_CODE.no-secboot.fd", "AAVMF_VARS.fd" },
	{ "arm64", "/usr/share/AAVMF", "AAVMF_CODE.fd", "AAVMF_VARS.fd" },
	{ "arm64", "/usr/share/edk2/aarch64", "QEMU_EFI-pflash.raw", "vars-template-pflash.raw" },
	{ "arm64", "/usr/share/qemu", "aavmf-aarch64-code.bin", "aavmf-aarch64-vars.bin" },
	{ "arm64", "/usr/share/edk2/aarch64", "QEMU_CODE.fd", "QEMU_VARS.fd" },
	{ "arm64", "/usr/share/qemu", "edk2-aarch64-code.fd", "edk2-arm-vars.fd" },
	{ "arm64", "/usr/local/share/qemu", "edk2-aarch64-code.fd", "edk2-arm-vars.fd" },
};

bool ovmf_find(const char *root, const char *arch, struct arena *arena, const char **code, const char **vars)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!str_equal(places[i].arch, arch))
			continue;
		*code = arena_printf(arena, "%s%s/%s", root, places[i].folder, places[i].code);
		*vars = arena_printf(arena, "%s%s/%s", root, places[i].folder, places[i].vars);
		if (access(*code, R_OK) == 0 && access(*vars, R_OK) == 0)
			return true;
	}
	*code = *vars = NULL;
	return false;
}

const char *ovmf_missing(const char *arch)
{
	return str_equal(arch, "arm64")
	               ? "no UEFI firmware for arm64 is installed: install AAVMF (Debian, Ubuntu: "
	                 "qemu-efi-aarch64; Fedora: edk2-aarch64; Alpine: aavmf)"
	               : "no UEFI firmware is installed: install OVMF (Debian, Ubuntu, Alpine: ovmf; Fedora: "
	                 "edk2-ovmf; SUSE: qemu-ovmf-x86_64)";
}
