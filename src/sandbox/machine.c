// What QEMU may open while a guest, which may have taken it over, runs in it. It runs as the user who called,
// or as root: what is theirs is none of its business.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/compiler.h"
#include "base/unnamed.h"
#include "sandbox/program.h"

/*
 * Programs, libraries, modules, firmware and ROMs are somewhere below /usr, wherever a distribution puts them
 * (Debian: qemu, seabios, OVMF, AAVMF in /usr/share; Fedora: edk2, seabios, seavgabios; Alpine, SUSE, Arch:
 * qemu, edk2-ovmf), and there is nobody's secret among them. /run/qemu: the modules of a package that Debian
 * has replaced while it ran.
 */
static const char *const system_folders[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store", "/run/qemu", NULL,
};
static const char *const prefix_folders[] = {
	"lib", "lib64", "libexec", "share", "pc-bios", "qemu-bundle", NULL,
};

/* Settings that libraries look for as they are loaded, and what tells of processors. */
static const char *const readable[] = {
	"/etc/ld.so.cache",
	"/etc/ld.so.preload",
	"/etc/ld-musl-x86_64.path",
	"/etc/ld-musl-aarch64.path",
	"/etc/localtime",
	"/etc/gnutls",
	"/etc/crypto-policies",
	"/etc/gcrypt",
	"/dev/urandom",
	"/proc/self",
	"/proc/cpuinfo",
	"/proc/meminfo",
	"/proc/filesystems",
	"/proc/sys/vm",
	"/proc/sys/crypto",
	"/sys/devices/system",
	"/sys/kernel/mm/transparent_hugepage",
	"/sys/module/kvm",
	"/sys/module/kvm_intel",
	"/sys/module/kvm_amd",
};

/* QEMU tries on /dev/null what kinds of locks there are. */
static const char *const usable[] = { "/dev/kvm", "/dev/null" };

#define LIBRARY_PATHS 8

/* Of address space: QEMU takes 3 GiB, of which the guest has one. */
#define MEMORY_MOST (UINT64_C(8) << 30)

static void add(struct file_grant *grants, size_t *count, const char *path, enum grant_right right)
{
	grants[(*count)++] = (struct file_grant){ open(path, O_PATH | O_CLOEXEC), right };
}

/* It is handed on to the machine (machine/process.c), which is for folders that its libraries lie in. */
static void add_library_paths(struct file_grant *grants, size_t *count)
{
	const char *given = getenv("LD_LIBRARY_PATH");
	char *paths = given ? strdup(given) : NULL, *rest = NULL;
	unsigned added = 0;
	for (char *path = paths ? strtok_r(paths, ":;", &rest) : NULL; path && added < LIBRARY_PATHS;
	     path = strtok_r(NULL, ":;", &rest), added++)
		add(grants, count, path, GRANT_RUN);
	free(paths);
}

void lockdown_machine(const char *program, const int reads[MACHINE_READS])
{
	static const struct program_folders folders = { system_folders, prefix_folders };
	/* Closed when it is executed. */
	struct file_grant grants[PROGRAM_GRANTS + ARRAY_SIZE(readable) + ARRAY_SIZE(usable) + LIBRARY_PATHS +
	                         MACHINE_READS];
	size_t count = program_grants(program, &folders, grants);
	for (size_t i = 0; i < ARRAY_SIZE(readable); i++)
		add(grants, &count, readable[i], GRANT_READ);
	for (size_t i = 0; i < ARRAY_SIZE(usable); i++)
		add(grants, &count, usable[i], GRANT_USE);
	add_library_paths(grants, &count);
	for (size_t i = 0; i < MACHINE_READS; i++)
		grants[count++] = (struct file_grant){ reads[i], GRANT_READ };
	lockdown_files(grants, count);
	if (lockdown_has_call_filter())
		call_filter_install_machine();
}

void lockdown_machine_limits(int overlay)
{
	lockdown_limit(RLIMIT_CORE, 0, 0); /* it would hold the guest's memory */
	lockdown_limit_memory(MEMORY_MOST);
	if (overlay >= 0) {
		uint64_t most = unnamed_room(overlay);
		lockdown_limit(RLIMIT_FSIZE, most, most);
	}
	signal(SIGXFSZ, SIG_IGN);
}
