#include "policy/checks.h"

#include "base/text.h"

static const struct check checks[] = {
	{ "whole-gib", check_whole_gib, .of_disk = true },
	{ "max-size", check_max_size, .of_disk = true },
	{ "partition-table", check_partition_table, .of_disk = true },
	{ "boot-path", check_boot_path, .of_disk = true },
	{ "uefi-path", check_uefi_path, .of_disk = true },
	{ "no-encryption", check_no_encryption, .of_disk = true },
	{ "tar-member", check_tar_member, .of_disk = true },
	{ "tar-format", check_tar_format, .of_disk = true },
	{ "tar-name", check_tar_name, .of_disk = true },
	{ "default-entry", check_default_entry, .of_disk = true },
	{ "root-found", check_root_found, .of_disk = true, .of_kernel = true },
	{ "boot-drivers", check_boot_drivers, .of_disk = true, .of_kernel = true,
	  .symbols = boot_driver_symbols, .modules = boot_driver_modules },
	{ "console", check_console, .of_kernel = true },
	{ "no-quiet", check_no_quiet, .of_kernel = true },
	{ "menu-timeout", check_menu_timeout, .of_disk = true },
	{ "fstab", check_fstab, .of_disk = true },
	{ "serial-getty", check_serial_getty, .of_root = true, .of_kernel = true },
	{ "as-predicted", check_as_predicted, .of_disk = false },
};

const struct check *check_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		if (str_equal(checks[i].name, name))
			return &checks[i];
	return NULL;
}
