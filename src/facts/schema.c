#include "facts/schema.h"

#include "facts/facts.h"

const char *const input_kind_names[] = { "unknown", "disk", "kernel", "config", "tree", "live", NULL };
const char *const examined_names[] = { "none", "partial", "full", NULL };

static const char *const served_names[] = { "not", "qed", "vmdk", "vhdx", "vhd", "vdi", "parallels", NULL };
static const char *const answer_names[] = { "unknown", "no", "yes", NULL };
static const char *const module_state_names[] = { "unknown", "builtin", "file", "absent", NULL };
static const char *const sysctl_source_names[] = { "unknown", "kernel default", "file", "command line",
	                                           "absent",  "live",           NULL };
static const char *const sysctl_applier_names[] = { "unknown", "systemd-sysctl", "procps", "busybox", NULL };

/* Rows of the tables below: `s` is the struct, `m` its member, which gives the JSON key too. */
#define STRING(s, m)                                                                                         \
	{                                                                                                    \
		.name = #m, .type = FIELD_STRING, .offset = offsetof(struct s, m)                            \
	}
#define NUMBER(s, m)                                                                                         \
	{                                                                                                    \
		.name = #m, .type = FIELD_U64, .offset = offsetof(struct s, m)                               \
	}
#define FLAG(s, m)                                                                                           \
	{                                                                                                    \
		.name = #m, .type = FIELD_BOOL, .offset = offsetof(struct s, m)                              \
	}
#define ENUM(s, m, values)                                                                                   \
	{                                                                                                    \
		.name = #m, .type = FIELD_ENUM, .offset = offsetof(struct s, m), .names = values             \
	}
#define ANSWER(s, m) ENUM(s, m, answer_names)
#define RECORD(s, m, of)                                                                                     \
	{                                                                                                    \
		.name = #m, .type = FIELD_RECORD, .offset = offsetof(struct s, m), .record = &of##_record    \
	}
#define ITEMS(s, m, of)                                                                                      \
	{                                                                                                    \
		.name = #m, .type = FIELD_LIST, .offset = offsetof(struct s, m), .record = &of##_record      \
	}
#define END                                                                                                  \
	{                                                                                                    \
		.name = NULL                                                                                 \
	}

/* Defines `NAME_record` for `struct NAME`. */
#define DEFINE_RECORD(linkage, type, ...)                                                                    \
	static const struct field type##_fields[] = { __VA_ARGS__, END };                                    \
	linkage const struct record type##_record = { .name = #type,                                         \
		                                      .size = sizeof(struct type),                           \
		                                      .fields = type##_fields };

/* clang-format off */
DEFINE_RECORD(, place,
	NUMBER(place, partition),
	STRING(place, path),
	NUMBER(place, line),
	NUMBER(place, offset),
	STRING(place, text))

DEFINE_RECORD(static, problem,
	STRING(problem, code),
	STRING(problem, message),
	RECORD(problem, place, place))

DEFINE_RECORD(static, partition,
	NUMBER(partition, number),
	STRING(partition, type),
	STRING(partition, type_name),
	STRING(partition, name),
	STRING(partition, part_uuid),
	NUMBER(partition, start),
	NUMBER(partition, size),
	FLAG(partition, bootable),
	FLAG(partition, readable),
	STRING(partition, volume),
	STRING(partition, volume_id),
	NUMBER(partition, within),
	ANSWER(partition, volumes_read),
	STRING(partition, file_system),
	STRING(partition, uuid),
	STRING(partition, label),
	STRING(partition, unread),
	STRING(partition, mount))

DEFINE_RECORD(static, partition_table,
	STRING(partition_table, kind),
	NUMBER(partition_table, sector_size),
	STRING(partition_table, disk_uuid),
	FLAG(partition_table, hybrid),
	ANSWER(partition_table, protective_mbr),
	ANSWER(partition_table, primary_sound),
	ANSWER(partition_table, backup_sound),
	STRING(partition_table, unread),
	ITEMS(partition_table, partitions, partition),
	ITEMS(partition_table, problems, problem))

DEFINE_RECORD(static, boot_path,
	STRING(boot_path, firmware),
	ANSWER(boot_path, works),
	STRING(boot_path, loader),
	STRING(boot_path, reason),
	RECORD(boot_path, place, place),
	STRING(boot_path, config),
	NUMBER(boot_path, config_partition))

DEFINE_RECORD(static, boot_file,
	STRING(boot_file, path),
	NUMBER(boot_file, partition),
	ANSWER(boot_file, found),
	STRING(boot_file, section))

DEFINE_RECORD(static, boot_entry,
	STRING(boot_entry, id),
	STRING(boot_entry, title),
	RECORD(boot_entry, kernel, boot_file),
	ITEMS(boot_entry, initrds, boot_file),
	STRING(boot_entry, command_line),
	RECORD(boot_entry, place, place),
	STRING(boot_entry, root),
	ANSWER(boot_entry, root_found),
	NUMBER(boot_entry, root_partition),
	STRING(boot_entry, root_reason))

DEFINE_RECORD(, boot,
	ITEMS(boot, paths, boot_path),
	STRING(boot, loader),
	RECORD(boot, config, place),
	ITEMS(boot, entries, boot_entry),
	ANSWER(boot, default_known),
	NUMBER(boot, default_index),
	STRING(boot, default_reason),
	RECORD(boot, default_place, place),
	STRING(boot, timeout),
	RECORD(boot, timeout_place, place),
	ITEMS(boot, problems, problem))

DEFINE_RECORD(static, config_symbol,
	STRING(config_symbol, symbol),
	STRING(config_symbol, value),
	NUMBER(config_symbol, line),
	STRING(config_symbol, text))

DEFINE_RECORD(static, kernel_config,
	ANSWER(kernel_config, complete),
	STRING(kernel_config, source),
	STRING(kernel_config, version),
	RECORD(kernel_config, place, place),
	STRING(kernel_config, reason),
	ITEMS(kernel_config, symbols, config_symbol))

DEFINE_RECORD(static, kernel_module,
	STRING(kernel_module, name),
	ENUM(kernel_module, state, module_state_names),
	RECORD(kernel_module, place, place),
	STRING(kernel_module, file),
	STRING(kernel_module, needs),
	ANSWER(kernel_module, in_initramfs),
	STRING(kernel_module, missing),
	FLAG(kernel_module, loaded))

DEFINE_RECORD(static, sysctl,
	STRING(sysctl, key),
	STRING(sysctl, value),
	ENUM(sysctl, source, sysctl_source_names),
	RECORD(sysctl, place, place),
	STRING(sysctl, effective),
	RECORD(sysctl, effective_place, place),
	STRING(sysctl, reason),
	STRING(sysctl, remedy),
	RECORD(sysctl, boot_place, place))

DEFINE_RECORD(static, kernel,
	STRING(kernel, version),
	STRING(kernel, banner),
	STRING(kernel, arch),
	STRING(kernel, format),
	ANSWER(kernel, efi_stub),
	ANSWER(kernel, sound),
	STRING(kernel, reason),
	RECORD(kernel, place, place),
	FLAG(kernel, booted),
	FLAG(kernel, judged),
	NUMBER(kernel, entry),
	FLAG(kernel, disputed),
	RECORD(kernel, config, kernel_config),
	ANSWER(kernel, has_modules_dep),
	STRING(kernel, modules_directory),
	ITEMS(kernel, modules, kernel_module),
	RECORD(kernel, initramfs, place),
	ANSWER(kernel, initramfs_read),
	STRING(kernel, initramfs_reason),
	STRING(kernel, initramfs_compression),
	STRING(kernel, initramfs_modules),
	STRING(kernel, initramfs_other_versions),
	ANSWER(kernel, initramfs_lvm),
	ITEMS(kernel, sysctls, sysctl))

DEFINE_RECORD(static, os,
	STRING(os, id),
	STRING(os, id_like),
	STRING(os, version),
	STRING(os, name),
	RECORD(os, place, place),
	STRING(os, init),
	ANSWER(os, init_found),
	RECORD(os, init_place, place),
	ENUM(os, sysctl_applier, sysctl_applier_names))

DEFINE_RECORD(static, mount_entry,
	STRING(mount_entry, device),
	STRING(mount_entry, path),
	STRING(mount_entry, type),
	STRING(mount_entry, options),
	FLAG(mount_entry, optional),
	RECORD(mount_entry, place, place),
	ANSWER(mount_entry, found),
	NUMBER(mount_entry, partition),
	STRING(mount_entry, reason))

DEFINE_RECORD(static, fstab,
	ANSWER(fstab, present),
	ITEMS(fstab, entries, mount_entry))

DEFINE_RECORD(static, observation,
	STRING(observation, name),
	ANSWER(observation, state),
	STRING(observation, value),
	STRING(observation, reason),
	STRING(observation, by),
	ITEMS(observation, places, place))

DEFINE_RECORD(static, observations,
	ITEMS(observations, items, observation))

DEFINE_RECORD(static, packed_member,
	STRING(packed_member, name),
	STRING(packed_member, type),
	STRING(packed_member, format),
	FLAG(packed_member, sparse),
	NUMBER(packed_member, size),
	NUMBER(packed_member, header))

DEFINE_RECORD(static, packing,
	STRING(packing, file_name),
	STRING(packing, compression),
	NUMBER(packing, streams),
	NUMBER(packing, garbage),
	NUMBER(packing, unpacked_size),
	FLAG(packing, is_tar),
	NUMBER(packing, member_count),
	ITEMS(packing, members, packed_member),
	RECORD(packing, disk, packed_member))

DEFINE_RECORD(static, pci_device,
	STRING(pci_device, address),
	NUMBER(pci_device, vendor),
	NUMBER(pci_device, device),
	NUMBER(pci_device, subsystem_vendor),
	NUMBER(pci_device, subsystem_device),
	NUMBER(pci_device, class_code),
	STRING(pci_device, driver),
	RECORD(pci_device, place, place),
	RECORD(pci_device, id_place, place),
	RECORD(pci_device, driver_place, place))

DEFINE_RECORD(static, virtio_device,
	STRING(virtio_device, name),
	STRING(virtio_device, pci),
	NUMBER(virtio_device, type),
	STRING(virtio_device, driver),
	STRING(virtio_device, features),
	RECORD(virtio_device, place, place),
	RECORD(virtio_device, driver_place, place))

DEFINE_RECORD(static, network_interface,
	STRING(network_interface, name),
	STRING(network_interface, device),
	STRING(network_interface, driver),
	STRING(network_interface, offloads),
	STRING(network_interface, offloads_off),
	NUMBER(network_interface, receive_queues),
	NUMBER(network_interface, transmit_queues),
	RECORD(network_interface, place, place))

DEFINE_RECORD(static, scsi_host,
	STRING(scsi_host, name),
	STRING(scsi_host, driver),
	STRING(scsi_host, device),
	NUMBER(scsi_host, queues),
	RECORD(scsi_host, place, place))

DEFINE_RECORD(static, scsi_device,
	STRING(scsi_device, name),
	STRING(scsi_device, host),
	ANSWER(scsi_device, disk),
	STRING(scsi_device, vendor),
	STRING(scsi_device, model),
	STRING(scsi_device, revision),
	NUMBER(scsi_device, version),
	STRING(scsi_device, standards),
	STRING(scsi_device, block),
	NUMBER(scsi_device, logical),
	NUMBER(scsi_device, physical),
	RECORD(scsi_device, place, place),
	RECORD(scsi_device, type_place, place),
	RECORD(scsi_device, sector_place, place))

DEFINE_RECORD(static, serial_port,
	STRING(serial_port, name),
	STRING(serial_port, irq),
	STRING(serial_port, type),
	STRING(serial_port, io),
	RECORD(serial_port, place, place),
	RECORD(serial_port, type_place, place))

DEFINE_RECORD(static, hardware,
	ANSWER(hardware, platform),
	STRING(hardware, product),
	RECORD(hardware, product_place, place),
	ANSWER(hardware, pci),
	ITEMS(hardware, pci_devices, pci_device),
	ITEMS(hardware, virtio_devices, virtio_device),
	ITEMS(hardware, interfaces, network_interface),
	ITEMS(hardware, scsi_hosts, scsi_host),
	ITEMS(hardware, scsi_devices, scsi_device),
	ITEMS(hardware, serial_ports, serial_port),
	ITEMS(hardware, unread, problem))

DEFINE_RECORD(, facts,
	ENUM(facts, kind, input_kind_names),
	ENUM(facts, examined, examined_names),
	STRING(facts, reason),
	STRING(facts, container),
	ENUM(facts, served, served_names),
	NUMBER(facts, size),
	NUMBER(facts, bytes_read),
	RECORD(facts, packing, packing),
	RECORD(facts, table, partition_table),
	RECORD(facts, boot, boot),
	ITEMS(facts, kernels, kernel),
	ITEMS(facts, sysctls, sysctl),
	RECORD(facts, os, os),
	RECORD(facts, fstab, fstab),
	RECORD(facts, observations, observations),
	RECORD(facts, hardware, hardware),
	ITEMS(facts, problems, problem))
/* clang-format on */
