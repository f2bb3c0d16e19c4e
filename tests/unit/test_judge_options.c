// The policy's judgement of kernels by single options of crafted configurations.
#include "judge_bench.h"

static void follows_renamed_and_merged_options(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "2.6.18", "", NULL, "kernel.kvm-clock", VERDICT_NOT_APPLICABLE,
		  "Linux 2.6.18 has no CONFIG_KVM_CLOCK, which is new in 2.6.26" },
		{ "3.6.0", "CONFIG_KVM_CLOCK=y\n", NULL, "kernel.kvm-clock", VERDICT_PASS,
		  "CONFIG_KVM_CLOCK=y" },
		{ "3.6.0", "CONFIG_KVM_GUEST=y\n", NULL, "kernel.kvm-clock", VERDICT_FAIL,
		  "CONFIG_KVM_CLOCK is absent" },
		{ "3.7.0", "CONFIG_KVM_GUEST=y\n", NULL, "kernel.kvm-clock", VERDICT_PASS,
		  "CONFIG_KVM_GUEST=y, which stands for CONFIG_KVM_CLOCK since 3.7" },
		{ "6.6.0", "# CONFIG_KVM_GUEST is not set\n", NULL, "kernel.kvm-clock", VERDICT_FAIL,
		  "CONFIG_KVM_GUEST is not set, which stands for CONFIG_KVM_CLOCK since 3.7" },
		{ "4.9.0", "CONFIG_DEBUG_RODATA=y\n", NULL, "security.rodata", VERDICT_PASS,
		  "CONFIG_DEBUG_RODATA=y" },
		{ "4.10.17", "CONFIG_STRICT_KERNEL_RWX=y\n", NULL, "security.rodata", VERDICT_FAIL,
		  "CONFIG_DEBUG_RODATA is absent" },
		{ "4.11.0", "CONFIG_DEBUG_RODATA=y\n", NULL, "security.rodata", VERDICT_FAIL,
		  "CONFIG_STRICT_KERNEL_RWX is absent, which stands for CONFIG_DEBUG_RODATA since 4.11" },
		{ "4.9.0", "CONFIG_MODULES=y\nCONFIG_DEBUG_SET_MODULE_RONX=y\n", NULL, "security.module-ronx",
		  VERDICT_PASS, "CONFIG_DEBUG_SET_MODULE_RONX=y" },
		{ "6.1.0", "CONFIG_MODULES=y\nCONFIG_STRICT_MODULE_RWX=y\n", NULL, "security.module-ronx",
		  VERDICT_PASS,
		  "CONFIG_STRICT_MODULE_RWX=y, which stands for CONFIG_DEBUG_SET_MODULE_RONX since 4.11" },
		{ "6.1.0", "# CONFIG_MODULES is not set\n", NULL, "security.module-ronx",
		  VERDICT_NOT_APPLICABLE, "CONFIG_MODULES is not set" },
		{ "4.9.0", "CONFIG_CC_STACKPROTECTOR=y\n", NULL, "security.stack-protector", VERDICT_PASS,
		  "CONFIG_CC_STACKPROTECTOR=y" },
		{ "4.16.0", "CONFIG_CC_STACKPROTECTOR_AUTO=y\n", NULL, "security.stack-protector",
		  VERDICT_PASS, "CONFIG_CC_STACKPROTECTOR_AUTO=y meets it as well" },
		{ "4.16.0", "CONFIG_CC_STACKPROTECTOR_NONE=y\n", NULL, "security.stack-protector",
		  VERDICT_FAIL, "CONFIG_CC_STACKPROTECTOR is absent" },
		{ "4.18.0-553.el8_10.x86_64", "CONFIG_STACKPROTECTOR=y\nCONFIG_STACKPROTECTOR_STRONG=y\n",
		  NULL, "security.stack-protector", VERDICT_PASS,
		  "CONFIG_STACKPROTECTOR=y, which stands for CONFIG_CC_STACKPROTECTOR since 4.18" },
		{ "6.1.0", "# CONFIG_STACKPROTECTOR is not set\n", NULL, "security.stack-protector",
		  VERDICT_FAIL,
		  "CONFIG_STACKPROTECTOR is not set, which stands for CONFIG_CC_STACKPROTECTOR since 4.18" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

static void knows_removed_and_stronger_options(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "5.12.0", "CONFIG_DEVKMEM=y\n", NULL, "security.no-devkmem", VERDICT_FAIL,
		  "CONFIG_DEVKMEM=y" },
		{ "5.12.0", "# CONFIG_DEVKMEM is not set\n", NULL, "security.no-devkmem", VERDICT_PASS,
		  "CONFIG_DEVKMEM is not set" },
		{ "5.12.0", "", NULL, "security.no-devkmem", VERDICT_PASS, "CONFIG_DEVKMEM is absent" },
		{ "5.13.0-rc1", "", NULL, "security.no-devkmem", VERDICT_PASS,
		  "CONFIG_DEVKMEM was removed in Linux 5.13" },
		{ "6.1.0", "CONFIG_STRICT_DEVMEM=y\nCONFIG_DEVMEM=y\n", NULL, "security.strict-devmem",
		  VERDICT_PASS, "CONFIG_STRICT_DEVMEM=y" },
		{ "6.1.0", "# CONFIG_DEVMEM is not set\n", NULL, "security.strict-devmem", VERDICT_PASS,
		  "CONFIG_DEVMEM is not set meets it as well" },
		{ "3.10.0", "# CONFIG_STRICT_DEVMEM is not set\n", NULL, "security.strict-devmem",
		  VERDICT_FAIL, "CONFIG_STRICT_DEVMEM is not set" },
		{ "4.0.0", "# CONFIG_DEVMEM is not set\n", NULL, "security.strict-devmem", VERDICT_PASS,
		  "CONFIG_DEVMEM is not set meets it as well" },
		{ "6.1.0", "CONFIG_DEVMEM=y\n# CONFIG_STRICT_DEVMEM is not set\n", NULL,
		  "security.strict-devmem", VERDICT_FAIL, "CONFIG_STRICT_DEVMEM is not set" },
		{ "6.1.0", "CONFIG_DEFAULT_MMAP_MIN_ADDR=65536\n", NULL, "security.mmap-min-addr",
		  VERDICT_PASS, "CONFIG_DEFAULT_MMAP_MIN_ADDR=65536" },
		/* There is no /dev/mem that a word of the command line could open. */
		{ "6.1.0", "# CONFIG_DEVMEM is not set\n", "iomem=relaxed", "security.strict-devmem",
		  VERDICT_PASS, "CONFIG_DEVMEM is not set meets it as well" },
		{ "6.1.0", "CONFIG_DEFAULT_MMAP_MIN_ADDR=131072\n", NULL, "security.mmap-min-addr",
		  VERDICT_PASS, "CONFIG_DEFAULT_MMAP_MIN_ADDR=131072" },
		{ "6.1.0", "CONFIG_DEFAULT_MMAP_MIN_ADDR=65535\n", NULL, "security.mmap-min-addr",
		  VERDICT_FAIL, "CONFIG_DEFAULT_MMAP_MIN_ADDR=65535, wanted 65536 or more" },
		{ "6.1.0", "CONFIG_COMPAT_VDSO=y\n", NULL, "security.no-compat-vdso", VERDICT_FAIL,
		  "CONFIG_COMPAT_VDSO=y" },
		{ "6.1.0", "", NULL, "security.no-compat-vdso", VERDICT_PASS,
		  "CONFIG_COMPAT_VDSO is absent" },
		{ "6.1.0", "CONFIG_COMPAT_BRK=y\n", NULL, "security.no-compat-brk", VERDICT_FAIL,
		  "CONFIG_COMPAT_BRK=y" },
		{ "6.1.0", "", NULL, "security.syn-cookies", VERDICT_FAIL, "CONFIG_SYN_COOKIES is absent" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

static void wants_yama_switched_on(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "3.2.0", "", NULL, "security.yama", VERDICT_NOT_APPLICABLE,
		  "Linux 3.2.0 has no CONFIG_SECURITY_YAMA, which is new in 3.4" },
		{ "4.19.0", "CONFIG_SECURITY_YAMA=y\n", NULL, "security.yama", VERDICT_PASS,
		  "CONFIG_SECURITY_YAMA=y" },
		/* A list taken into an older kernel, as vendors do. */
		{ "4.18.0", "CONFIG_SECURITY_YAMA=y\nCONFIG_LSM=\"integrity,selinux\"\n", NULL,
		  "security.yama", VERDICT_FAIL,
		  "CONFIG_SECURITY_YAMA=y, but CONFIG_LSM=\"integrity,selinux\" leaves yama switched off" },
		{ "4.18.0", "CONFIG_SECURITY_YAMA=y\nCONFIG_LSM=\"yama\"\n", "lsm=selinux", "security.yama",
		  VERDICT_FAIL,
		  "CONFIG_SECURITY_YAMA=y, but lsm=selinux on the command line leaves yama switched off" },
		{ "5.4.0", "CONFIG_SECURITY_YAMA=y\nCONFIG_LSM=\"lockdown,yama,apparmor\"\n", NULL,
		  "security.yama", VERDICT_PASS, "CONFIG_SECURITY_YAMA=y" },
		{ "5.4.0", "CONFIG_SECURITY_YAMA=y\nCONFIG_LSM=\"lockdown,myyama\"\n", NULL, "security.yama",
		  VERDICT_FAIL,
		  "CONFIG_SECURITY_YAMA=y, but CONFIG_LSM=\"lockdown,myyama\" leaves yama switched off" },
		{ "5.4.0", "CONFIG_SECURITY_YAMA=y\nCONFIG_LSM=\"\"\n", "lsm=landlock,yama", "security.yama",
		  VERDICT_PASS, "CONFIG_SECURITY_YAMA=y" },
		{ "5.4.0", "CONFIG_SECURITY_YAMA=y\nCONFIG_LSM=\"yama\"\n", "ro lsm=apparmor quiet",
		  "security.yama", VERDICT_FAIL,
		  "CONFIG_SECURITY_YAMA=y, but lsm=apparmor on the command line leaves yama switched off" },
		{ "5.4.0", "CONFIG_SECURITY_YAMA=y\nCONFIG_LSM=\"yama\"\n", "security=apparmor",
		  "security.yama", VERDICT_PASS, "CONFIG_SECURITY_YAMA=y" },
		{ "5.4.0", "CONFIG_SECURITY_YAMA=y\n", NULL, "security.yama", VERDICT_UNKNOWN,
		  "CONFIG_SECURITY_YAMA=y, and whether CONFIG_LSM lists yama is not known" },
		{ "3.4.0", "CONFIG_SECURITY_YAMA=y\n", NULL, "security.yama-stacked", VERDICT_NOT_APPLICABLE,
		  "Linux 3.4.0 has no CONFIG_SECURITY_YAMA_STACKED, which is new in 3.7" },
		{ "4.2.0", "CONFIG_SECURITY_YAMA=y\n", NULL, "security.yama-stacked", VERDICT_FAIL,
		  "CONFIG_SECURITY_YAMA_STACKED is absent" },
		{ "4.2.0", "CONFIG_SECURITY_YAMA_STACKED=y\n", NULL, "security.yama-stacked", VERDICT_PASS,
		  "CONFIG_SECURITY_YAMA_STACKED=y" },
		{ "4.3.0", "CONFIG_SECURITY_YAMA=y\n", NULL, "security.yama-stacked", VERDICT_PASS,
		  "CONFIG_SECURITY_YAMA=y, which stands for CONFIG_SECURITY_YAMA_STACKED since 4.3" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

static void finds_what_the_command_line_defeats(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "6.1.0", "CONFIG_KVM_GUEST=y\n", "no-kvmclock", "kernel.kvm-clock", VERDICT_FAIL,
		  "CONFIG_KVM_GUEST=y, which stands for CONFIG_KVM_CLOCK since 3.7, but no-kvmclock on the "
		  "command "
		  "line defeats it" },
		{ "6.1.0", "CONFIG_KVM_GUEST=y\n", "no-kvmclock", "kernel.kvm-guest", VERDICT_PASS,
		  "CONFIG_KVM_GUEST=y" },
		{ "6.1.0", "CONFIG_KVM_GUEST=y\n", "no_kvmclock", "kernel.kvm-clock", VERDICT_FAIL,
		  "CONFIG_KVM_GUEST=y, which stands for CONFIG_KVM_CLOCK since 3.7, but no-kvmclock on the "
		  "command line defeats it" },
		{ "6.1.0", "CONFIG_PCI=y\nCONFIG_ACPI=y\n", "acpi=off", "hardware.pci-bridge", VERDICT_FAIL,
		  "CONFIG_PCI=y, CONFIG_ACPI=y, but acpi=off on the command line defeats it" },
		{ "6.1.0", "CONFIG_PCI=y\nCONFIG_ACPI=y\nCONFIG_PNP=y\nCONFIG_PNPACPI=y\n", "pnpacpi=off",
		  "hardware.isa-bridge", VERDICT_FAIL,
		  "CONFIG_PCI=y, CONFIG_ACPI=y, CONFIG_PNP=y, CONFIG_PNPACPI=y, but pnpacpi=off on the "
		  "command "
		  "line defeats it" },
		{ "6.1.0", "CONFIG_KVM_GUEST=y\n", "no-kvmclock-vsyscall", "kernel.kvm-clock", VERDICT_PASS,
		  "CONFIG_KVM_GUEST=y, which stands for CONFIG_KVM_CLOCK since 3.7" },
		{ "6.1.0", "CONFIG_KVM_GUEST=y\n", "ro nopv", "kernel.kvm-guest", VERDICT_FAIL,
		  "CONFIG_KVM_GUEST=y, but nopv on the command line defeats it" },
		{ "6.1.0", "CONFIG_PCI_MSI=y\n", "pci=noaer,nomsi pci=noats", "kernel.pci-msi", VERDICT_FAIL,
		  "CONFIG_PCI_MSI=y, but pci=nomsi on the command line defeats it" },
		{ "6.1.0", "CONFIG_PCI_MSI=y\n", "pci=nomsix xpci=nomsi", "kernel.pci-msi", VERDICT_PASS,
		  "CONFIG_PCI_MSI=y" },
		{ "6.1.0", "CONFIG_STRICT_KERNEL_RWX=y\n", "rodata=off", "security.rodata", VERDICT_FAIL,
		  "CONFIG_STRICT_KERNEL_RWX=y, which stands for CONFIG_DEBUG_RODATA since 4.11, but "
		  "rodata=off on "
		  "the command line defeats it" },
		{ "6.1.0", "CONFIG_STRICT_KERNEL_RWX=y\n", "rodata=off rodata=on", "security.rodata",
		  VERDICT_PASS,
		  "CONFIG_STRICT_KERNEL_RWX=y, which stands for CONFIG_DEBUG_RODATA since 4.11" },
		{ "6.1.0", "CONFIG_STRICT_DEVMEM=y\n", "\"iomem=relaxed\"", "security.strict-devmem",
		  VERDICT_FAIL, "CONFIG_STRICT_DEVMEM=y, but iomem=relaxed on the command line defeats it" },
		{ "6.1.0", "CONFIG_STRICT_DEVMEM=y\n", "nokaslr -- iomem=relaxed", "security.strict-devmem",
		  VERDICT_PASS, "CONFIG_STRICT_DEVMEM=y" },
		{ "6.1.0", "CONFIG_KVM_GUEST=y\nCONFIG_CMDLINE_BOOL=y\nCONFIG_CMDLINE=\"nopv\"\n", "ro",
		  "kernel.kvm-guest", VERDICT_FAIL,
		  "CONFIG_KVM_GUEST=y, but nopv on the command line defeats it" },
		{ "6.1.0", "CONFIG_KVM_GUEST=y\nCONFIG_CMDLINE=\"nopv\"\n", "ro", "kernel.kvm-guest",
		  VERDICT_PASS, "CONFIG_KVM_GUEST=y" },
		{ "6.1.0",
		  "CONFIG_CMDLINE_BOOL=y\nCONFIG_CMDLINE=\"console=ttyS0\"\nCONFIG_CMDLINE_OVERRIDE=y\n",
		  "quiet", "boot.no-quiet", VERDICT_PASS, "the command line hides no messages" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

#define UARTS "CONFIG_SERIAL_8250=y\nCONFIG_SERIAL_8250_CONSOLE=y\nCONFIG_SERIAL_8250_NR_UARTS=32\n"

static void counts_serial_ports(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "6.1.0", UARTS "CONFIG_SERIAL_8250_RUNTIME_UARTS=0\n", NULL, "hardware.serial.count",
		  VERDICT_FAIL, "CONFIG_SERIAL_8250_RUNTIME_UARTS=0, wanted 4 or more" },
		{ "6.1.0", UARTS "CONFIG_SERIAL_8250_RUNTIME_UARTS=0\n", "8250.nr_uarts=4",
		  "hardware.serial.count", VERDICT_PASS,
		  "CONFIG_SERIAL_8250=y, CONFIG_SERIAL_8250_CONSOLE=y, CONFIG_SERIAL_8250_NR_UARTS=32, "
		  "8250.nr_uarts=4 takes the place of CONFIG_SERIAL_8250_RUNTIME_UARTS; a boot on the "
		  "reference "
		  "machine proves it" },
		{ "6.1.0", UARTS "CONFIG_SERIAL_8250_RUNTIME_UARTS=4\n", "8250.nr_uarts=1",
		  "hardware.serial.count", VERDICT_FAIL,
		  "8250.nr_uarts=1 takes the place of CONFIG_SERIAL_8250_RUNTIME_UARTS, wanted 4 or more" },
		{ "6.1.0", "CONFIG_SERIAL_8250=m\n", NULL, "hardware.serial.ttyS0", VERDICT_FAIL,
		  "CONFIG_SERIAL_8250=m, CONFIG_SERIAL_8250_NR_UARTS is absent, wanted 1 or more, "
		  "CONFIG_SERIAL_8250_RUNTIME_UARTS is absent, wanted 1 or more" },
		{ "3.19.0", "CONFIG_SCSI_VIRTIO=y\nCONFIG_VIRTIO_PCI=y\nCONFIG_SCSI=y\nCONFIG_BLK_DEV_SD=y\n",
		  NULL, "hardware.scsi.virtio", VERDICT_PASS,
		  "CONFIG_SCSI_VIRTIO=y, CONFIG_VIRTIO_PCI=y, CONFIG_SCSI=y, CONFIG_BLK_DEV_SD=y, Linux "
		  "3.19.0 has "
		  "no CONFIG_VIRTIO_PCI_LEGACY, which is new in 4.0; a boot on the reference machine proves "
		  "it" },
		{ "6.1.0", "CONFIG_SCSI_VIRTIO=y\nCONFIG_VIRTIO_PCI=y\nCONFIG_SCSI=y\nCONFIG_BLK_DEV_SD=y\n",
		  NULL, "hardware.scsi.virtio", VERDICT_FAIL, "CONFIG_VIRTIO_PCI_LEGACY is absent" },
	};
	check_rows(rows, ARRAY_SIZE(rows));
}

/* olddefconfig drops what depends on something that is off: the fix names that as well. */
static void enables_what_an_option_depends_on(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench);
	add_kernel(&bench, "6.1.0",
	           "# Linux/x86 6.1.0 Kernel Configuration\nCONFIG_X86_64=y\nCONFIG_SECURITY=y\n"
	           "# CONFIG_SECURITY_YAMA is not set\n");
	add_disk(&bench, CONSOLE);
	judge(&bench);
	expect_fix(&bench, "kernel.kvm-guest",
	           "scripts/config --enable HYPERVISOR_GUEST --enable PARAVIRT --enable KVM_GUEST && make "
	           "olddefconfig, then build and install the kernel");
	/* Each once, and before what depends on it. */
	expect_fix(
		&bench, "hardware.net.virtio",
		"scripts/config --enable PCI --enable VIRTIO_MENU --enable VIRTIO_PCI --enable NETDEVICES "
		"--enable NET_CORE --enable VIRTIO_NET --enable VIRTIO_PCI_LEGACY && make olddefconfig, then "
		"build and install the kernel");
	/* What the configuration offers only has to be chosen. */
	expect_fix(&bench, "security.yama",
	           "scripts/config --enable SECURITY_YAMA && make olddefconfig, then build and install the "
	           "kernel");
	bench_close(&bench);
}

static void judges_fragments_by_their_lines_alone(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench);
	struct kernel *kernel =
		add_kernel(&bench, NULL,
	                   "CONFIG_X86_64=y\nCONFIG_KVM_GUEST=y\n# CONFIG_PCI_MSI is not set\n"
	                   "CONFIG_COMPAT_BRK=y\nCONFIG_VIRTIO_NET=m\n");
	assert_int_equal(kernel->config.complete, ANSWER_NO);
	bench.facts.kind = INPUT_CONFIG;
	bench.facts.examined = EXAMINED_FULL;
	judge(&bench);
	expect(&bench, "kernel.kvm-guest", VERDICT_PASS, "CONFIG_KVM_GUEST=y");
	expect(&bench, "kernel.pci-msi", VERDICT_FAIL, "CONFIG_PCI_MSI is not set");
	expect_fix(&bench, "kernel.pci-msi",
	           "scripts/config --enable PCI_MSI && make olddefconfig, then build and install the kernel");
	expect(&bench, "security.no-compat-brk", VERDICT_FAIL, "CONFIG_COMPAT_BRK=y");
	expect(&bench, "security.no-compat-vdso", VERDICT_UNKNOWN,
	       "/boot/config is only a part of a configuration and has no line for CONFIG_COMPAT_VDSO");
	expect(&bench, "kernel.virtio-scsi", VERDICT_UNKNOWN,
	       "/boot/config is only a part of a configuration and has no line for CONFIG_SCSI_VIRTIO");
	expect(&bench, "kernel.virtio-net", VERDICT_UNKNOWN,
	       "CONFIG_VIRTIO_NET=m, and whether the root file system has module virtio_net is not known");
	expect(&bench, "image.whole-gib", VERDICT_NOT_APPLICABLE, "no disk in this input");
	expect(&bench, "boot.console", VERDICT_NOT_APPLICABLE, "no boot menu in this input");
	expect(&bench, "guest.utc", VERDICT_NOT_APPLICABLE, "no root file system in this input");
	expect(&bench, "sysctl.kernel.kptr_restrict", VERDICT_NOT_APPLICABLE,
	       "no root file system in this input");
	assert_int_equal(bench.judgement.boots, ANSWER_UNKNOWN);
	bench_close(&bench);
}

/* A rule that hangs on another option is asked until that option is known to be off. */
static void asks_what_an_unknown_option_may_make_matter(void **state)
{
	(void)state;
	struct bench bench;
	bench_open(&bench);
	add_kernel(&bench, "6.1.0", NULL)->config.reason = "no file has it";
	add_disk(&bench, CONSOLE);
	judge(&bench);
	assert_int_equal(finding_of(&bench, "security.module-ronx")->verdict, VERDICT_UNKNOWN);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_renamed_and_merged_options),
		cmocka_unit_test(knows_removed_and_stronger_options),
		cmocka_unit_test(wants_yama_switched_on),
		cmocka_unit_test(finds_what_the_command_line_defeats),
		cmocka_unit_test(counts_serial_ports),
		cmocka_unit_test(enables_what_an_option_depends_on),
		cmocka_unit_test(judges_fragments_by_their_lines_alone),
		cmocka_unit_test(asks_what_an_unknown_option_may_make_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
