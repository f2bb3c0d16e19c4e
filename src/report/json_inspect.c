// `inspect` for a program: the facts in the shape that schema/inspect.schema.json publishes. A
// container that could not be had is refused by json_add().

#include <stdlib.h>

#include "report/json.h"
#include "report/phrase.h"
#include "report/views.h"

static void add_problems(json_t *array, const struct problem *problems, size_t count,
                         const struct facts *facts)
{
	for (size_t i = 0; i < count; i++) {
		json_t *object = json_object();
		json_add(object, "code", json_text(problems[i].code));
		json_add(object, "message", json_text(problems[i].message));
		json_add(object, "evidence", place_or_null(&problems[i].place, facts));
		json_append(array, object);
	}
}

static json_t *partition_json(const struct partition *partition)
{
	json_t *object = json_object();
	json_add(object, "number", json_number(partition->number));
	json_add(object, "type", json_text(partition->type));
	json_add(object, "type_name", json_text(partition->type_name));
	json_add(object, "name", json_text(partition->name));
	json_add(object, "partuuid", json_text(partition->part_uuid));
	json_add(object, "start", json_number(partition->start));
	json_add(object, "size", json_number(partition->size));
	json_add(object, "bootable", json_boolean(partition->bootable));
	json_add(object, "readable", json_boolean(partition->readable));
	json_add(object, "file_system", json_text(partition->file_system));
	json_add(object, "uuid", json_text(partition->uuid));
	json_add(object, "label", json_text(partition->label));
	json_add(object, "unread", json_text(partition->unread));
	json_add(object, "mount", json_text(partition->mount));
	return object;
}

static json_t *member_json(const struct packed_member *member)
{
	json_t *object = json_object();
	json_add(object, "name", json_text(member->name));
	json_add(object, "type", json_text(member->type));
	json_add(object, "format", json_text(member->format));
	json_add(object, "sparse", json_boolean(member->sparse));
	json_add(object, "size", json_number(member->size));
	json_add(object, "header", json_number(member->header));
	return object;
}

static json_t *archive_json(const struct packing *packing)
{
	if (!packing->is_tar)
		return json_null();
	json_t *object = json_object();
	json_t *members = json_array();
	json_add(object, "disk", packing->disk.name ? member_json(&packing->disk) : json_null());
	json_add(object, "member_count", json_number(packing->member_count));
	for (size_t i = 0; i < packing->members.count; i++)
		json_append(members, member_json(&packing->members.items[i]));
	json_add(object, "members", members);
	return object;
}

static json_t *packing_json(const struct packing *packing)
{
	if (!packing->compression && !packing->is_tar)
		return json_null();
	json_t *object = json_object();
	json_add(object, "compression", json_text(packing->compression));
	json_add(object, "streams", json_number(packing->streams));
	json_add(object, "garbage", packing->garbage ? json_number(packing->garbage) : json_null());
	json_add(object, "unpacked_size",
	         packing->compression ? json_number(packing->unpacked_size) : json_null());
	json_add(object, "archive", archive_json(packing));
	return object;
}

/* A logical volume; `partition` is null where it begins on a disk without partitions. */
static json_t *volume_json(const struct partition *volume)
{
	json_t *object = json_object();
	json_add(object, "name", json_text(volume->volume));
	json_add(object, "id", json_text(volume->volume_id));
	json_add(object, "partition", volume->within ? json_number(volume->within) : json_null());
	json_add(object, "start", volume->readable ? json_number(volume->start) : json_null());
	json_add(object, "size", json_number(volume->size));
	json_add(object, "readable", json_boolean(volume->readable));
	json_add(object, "file_system", json_text(volume->file_system));
	json_add(object, "uuid", json_text(volume->uuid));
	json_add(object, "label", json_text(volume->label));
	json_add(object, "unread", json_text(volume->unread));
	json_add(object, "mount", json_text(volume->mount));
	return object;
}

static json_t *disk_json(const struct facts *facts)
{
	const struct partition_table *table = &facts->table;
	json_t *object = json_object();
	json_add(object, "container", json_text(facts->container));
	json_add(object, "packing", packing_json(&facts->packing));
	json_add(object, "size", json_number(facts->size));
	json_add(object, "table", json_text(table->kind));
	json_add(object, "sector_size", json_number(table->sector_size));
	json_add(object, "uuid", json_text(table->disk_uuid));
	json_add(object, "hybrid", json_boolean(table->hybrid));
	json_add(object, "protective_mbr", json_answer(table->protective_mbr));
	json_add(object, "primary_sound", json_answer(table->primary_sound));
	json_add(object, "backup_sound", json_answer(table->backup_sound));
	json_add(object, "unread", json_text(table->unread));
	json_t *partitions = json_array(), *volumes = json_array();
	for (size_t i = 0; i < table->partitions.count; i++) {
		const struct partition *partition = &table->partitions.items[i];
		if (partition->volume)
			json_append(volumes, volume_json(partition));
		else
			json_append(partitions, partition_json(partition));
	}
	json_add(object, "partitions", partitions);
	json_add(object, "volumes", volumes);
	return object;
}

static json_t *file_json(const struct boot_file *file, const struct facts *facts)
{
	json_t *object = json_object();
	json_add(object, "path", json_text(file->path));
	json_add(object, "section", json_text(file->section));
	json_add_partition(object, "partition", "volume", file->partition, facts);
	json_add(object, "found", json_answer(file->found));
	return object;
}

static json_t *entry_json(const struct boot_entry *entry, bool is_default, const struct facts *facts)
{
	json_t *object = json_object();
	json_add(object, "id", json_text(entry->id));
	json_add(object, "title", json_text(entry->title));
	json_add(object, "default", json_boolean(is_default));
	json_add(object, "kernel", file_json(&entry->kernel, facts));
	json_t *initrds = json_array();
	for (size_t i = 0; i < entry->initrds.count; i++)
		json_append(initrds, file_json(&entry->initrds.items[i], facts));
	json_add(object, "initrds", initrds);
	json_add(object, "command_line", json_text(entry->command_line));
	json_add(object, "root", json_text(entry->root));
	json_add(object, "root_found", json_answer(entry->root_found));
	bool found = entry->root_found == ANSWER_YES;
	if (found && entry->root_partition)
		json_add_partition(object, "root_partition", "root_volume", entry->root_partition, facts);
	else
		json_add(object, "root_partition", found ? json_number(0) : json_null());
	json_add(object, "root_reason", json_text(entry->root_reason));
	json_add(object, "evidence", place_or_null(&entry->place, facts));
	return object;
}

static json_t *firmware_json(const struct boot_path *path, const struct facts *facts)
{
	json_t *object = json_object();
	json_add(object, "firmware", json_text(path->firmware));
	json_add(object, "works", json_answer(path->works));
	json_add(object, "loader", json_text(path->loader));
	json_add(object, "config", json_text(path->config));
	json_add(object, "reason", json_text(path->reason));
	json_add(object, "evidence", place_or_null(&path->place, facts));
	return object;
}

static json_t *boot_json(const struct facts *facts)
{
	const struct boot *boot = &facts->boot;
	json_t *object = json_object();
	json_t *firmware = json_array();
	for (size_t i = 0; i < boot->paths.count; i++)
		json_append(firmware, firmware_json(&boot->paths.items[i], facts));
	json_add(object, "firmware", firmware);
	json_add(object, "loader", json_text(boot->loader));
	json_add(object, "config", place_or_null(&boot->config, facts));
	bool known = boot->default_known == ANSWER_YES;
	json_t *chosen = json_object();
	json_add(chosen, "known", json_answer(boot->default_known));
	json_add(chosen, "index", known ? json_number(boot->default_index) : json_null());
	json_add(chosen, "reason", json_text(boot->default_reason));
	json_add(chosen, "evidence", place_or_null(&boot->default_place, facts));
	json_add(object, "default", chosen);
	json_add(object, "timeout", json_text(boot->timeout));
	json_add(object, "timeout_evidence", place_or_null(&boot->timeout_place, facts));
	json_t *entries = json_array();
	for (size_t i = 0; i < boot->entries.count; i++)
		json_append(entries,
		            entry_json(&boot->entries.items[i], known && boot->default_index == i, facts));
	json_add(object, "entries", entries);
	return object;
}

static json_t *config_json(const struct kernel_config *config)
{
	json_t *object = json_object();
	for (size_t i = 0; i < config->symbols.count; i++) {
		const struct config_symbol *symbol = &config->symbols.items[i];
		if (symbol->symbol)
			json_add(object, symbol->symbol, json_text(symbol->value));
	}
	return object;
}

static json_t *config_lines_json(const struct kernel_config *config)
{
	json_t *object = json_object();
	for (size_t i = 0; i < config->symbols.count; i++) {
		const struct config_symbol *symbol = &config->symbols.items[i];
		if (symbol->symbol && symbol->line)
			json_add(object, symbol->symbol, json_number(symbol->line));
	}
	return object;
}

static json_t *module_json(const struct kernel_module *module, const struct facts *facts)
{
	static const char *const states[] = {
		[MODULE_UNKNOWN] = "unknown",
		[MODULE_BUILTIN] = "builtin",
		[MODULE_FILE] = "file",
		[MODULE_ABSENT] = "absent",
	};
	json_t *object = json_object();
	json_add(object, "name", json_text(module->name));
	json_add(object, "state", json_text(states[module->state]));
	json_add(object, "file", json_text(module->file));
	json_add(object, "needs", json_words(module->needs));
	json_add(object, "in_initramfs", json_answer(module->in_initramfs));
	json_add(object, "missing", json_words(module->missing));
	json_add(object, "loaded", json_boolean(module->loaded));
	json_add(object, "evidence", place_or_null(&module->place, facts));
	return object;
}

static json_t *modules_in_state(const struct kernel *kernel, enum module_state state)
{
	json_t *array = json_array();
	for (size_t i = 0; i < kernel->modules.count; i++)
		if (kernel->modules.items[i].state == state)
			json_append(array, json_text(kernel->modules.items[i].name));
	return array;
}

static json_t *initramfs_json(const struct kernel *kernel, const struct facts *facts)
{
	if (!kernel->initramfs.path)
		return json_null();
	json_t *object = json_object();
	json_add(object, "path", json_text(kernel->initramfs.path));
	json_add_partition(object, "partition", "volume", kernel->initramfs.partition, facts);
	json_add(object, "read", json_answer(kernel->initramfs_read));
	json_add(object, "reason", json_text(kernel->initramfs_reason));
	json_add(object, "compression", json_words(kernel->initramfs_compression));
	json_add(object, "modules", json_words(kernel->initramfs_modules));
	json_add(object, "other_versions", json_words(kernel->initramfs_other_versions));
	json_add(object, "lvm", json_answer(kernel->initramfs_lvm));
	return object;
}

static json_t *kernel_json(const struct kernel *kernel, const struct facts *facts)
{
	json_t *object = json_object();
	json_add(object, "version", json_text(kernel->version));
	json_add(object, "banner", json_text(kernel->banner));
	json_add(object, "architecture", json_text(kernel->arch));
	json_add(object, "format", json_text(kernel->format));
	json_add(object, "efi_stub", json_answer(kernel->efi_stub));
	json_add(object, "path", json_text(kernel->place.path));
	json_add_partition(object, "partition", "volume", kernel->place.partition, facts);
	json_add(object, "default", json_boolean(kernel->booted));
	json_add(object, "judged", json_boolean(kernel->judged));
	json_add(object, "entry", kernel->entry ? json_number(kernel->entry - 1) : json_null());
	json_add(object, "config_source", json_text(kernel->config.source));
	json_add(object, "config_complete", json_answer(kernel->config.complete));
	json_add(object, "config_reason", json_text(kernel->config.reason));
	json_add(object, "config", config_json(&kernel->config));
	json_add(object, "config_lines", config_lines_json(&kernel->config));
	json_add(object, "modules_directory", json_text(kernel->modules_directory));
	json_add(object, "modules_builtin", modules_in_state(kernel, MODULE_BUILTIN));
	json_t *modules = json_array();
	for (size_t i = 0; i < kernel->modules.count; i++)
		json_append(modules, module_json(&kernel->modules.items[i], facts));
	json_add(object, "modules", modules);
	json_add(object, "initramfs", initramfs_json(kernel, facts));
	return object;
}

static json_t *sysctl_json(const struct sysctl *sysctl, const struct kernel *kernel,
                           const struct facts *facts)
{
	static const char *const sources[] = {
		[SYSCTL_UNKNOWN] = "unknown", [SYSCTL_KERNEL_DEFAULT] = "kernel default",
		[SYSCTL_FILE] = "file",       [SYSCTL_COMMAND_LINE] = "command line",
		[SYSCTL_ABSENT] = "absent",   [SYSCTL_RUNNING] = "live",
	};
	/* A file is named by its path: a reader of the report needs no second field to find it. */
	bool named = sysctl->source == SYSCTL_FILE && sysctl->place.path;
	json_t *object = json_object();
	json_add(object, "key", json_text(sysctl->key));
	json_add(object, "value", json_text(sysctl->value));
	json_add(object, "source", json_text(named ? sysctl->place.path : sources[sysctl->source]));
	json_add(object, "line", sysctl->place.line ? json_number(sysctl->place.line) : json_null());
	json_add(object, "effective", json_text(sysctl->effective));
	json_add(object, "reason", json_text(sysctl->reason && *sysctl->reason ? sysctl->reason : NULL));
	json_add(object, "kernel", json_text(kernel ? kernel->version : NULL));
	json_add(object, "evidence", place_or_null(&sysctl->place, facts));
	json_add(object, "effective_evidence", place_or_null(&sysctl->effective_place, facts));
	json_add(object, "boot_evidence", place_or_null(&sysctl->boot_place, facts));
	return object;
}

static json_t *os_json(const struct facts *facts)
{
	const struct os *os = &facts->os;
	json_t *object = json_object();
	json_add(object, "id", json_text(os->id));
	json_add(object, "id_like", json_text(os->id_like));
	json_add(object, "version", json_text(os->version));
	json_add(object, "name", json_text(os->name));
	json_add(object, "evidence", place_or_null(&os->place, facts));
	json_add(object, "init", json_text(os->init));
	json_add(object, "init_evidence", place_or_null(&os->init_place, facts));
	json_t *mounts = json_array();
	for (size_t i = 0; i < facts->fstab.entries.count; i++) {
		const struct mount_entry *entry = &facts->fstab.entries.items[i];
		json_t *mount = json_object();
		json_add(mount, "device", json_text(entry->device));
		json_add(mount, "path", json_text(entry->path));
		json_add(mount, "type", json_text(entry->type));
		json_add(mount, "options", json_text(entry->options));
		json_add(mount, "found", json_answer(entry->found));
		json_add_partition(mount, "partition", "volume", entry->partition, facts);
		json_add(mount, "evidence", place_or_null(&entry->place, facts));
		json_append(mounts, mount);
	}
	json_add(object, "fstab", mounts);
	return object;
}

static json_t *guest_json(const struct facts *facts)
{
	const struct observations *observations = &facts->observations;
	json_t *object = json_object();
	for (size_t i = 0; i < observations->items.count; i++) {
		const struct observation *item = &observations->items.items[i];
		if (!item->name)
			continue;
		json_t *seen = json_object();
		json_add(seen, "present", json_answer(item->state));
		json_add(seen, "value", json_text(item->value));
		json_add(seen, "reason", json_text(item->reason));
		json_t *evidence = json_array();
		for (size_t p = 0; p < item->places.count; p++)
			json_append(evidence, json_place(&item->places.items[p], facts));
		json_add(seen, "evidence", evidence);
		json_add(object, item->name, seen);
	}
	return object;
}

json_t *json_inspected(const struct report_input *input, const struct report_options *options)
{
	const struct facts *facts = input->facts;
	json_t *report = json_object();
	json_add(report, "schema", json_text("slipway-inspect/1"));
	json_add(report, "version", json_text(options->version));
	json_add_input(report, input->name, facts);
	json_add(report, "bytes_read", json_number(facts->bytes_read));
	json_add(report, "disk", disk_json(facts));
	json_add(report, "boot", boot_json(facts));
	json_t *kernels = json_array(), *sysctls = json_array();
	for (size_t i = 0; i < facts->kernels.count; i++) {
		const struct kernel *kernel = &facts->kernels.items[i];
		json_append(kernels, kernel_json(kernel, facts));
		for (size_t s = 0; s < kernel->sysctls.count; s++)
			json_append(sysctls, sysctl_json(&kernel->sysctls.items[s], kernel, facts));
	}
	for (size_t i = 0; i < facts->sysctls.count; i++)
		json_append(sysctls, sysctl_json(&facts->sysctls.items[i], NULL, facts));
	json_add(report, "kernels", kernels);
	json_add(report, "sysctls", sysctls);
	json_add(report, "os", os_json(facts));
	json_add(report, "guest", guest_json(facts));
	json_add(report, "hardware",
	         facts->kind == INPUT_LIVE ? json_hardware(&facts->hardware) : json_null());
	json_t *features = json_array();
	if (input->judgement)
		for (size_t i = 0; i < input->judgement->features.count; i++)
			json_append(features, json_text(input->judgement->features.items[i]));
	json_add(report, "features", features);
	json_t *problems = json_array();
	add_problems(problems, facts->table.problems.items, facts->table.problems.count, facts);
	add_problems(problems, facts->boot.problems.items, facts->boot.problems.count, facts);
	add_problems(problems, facts->problems.items, facts->problems.count, facts);
	json_add(report, "problems", problems);
	return report;
}

void json_inspect(FILE *out, const struct report_input *input, const struct report_options *options)
{
	json_print(out, json_inspected(input, options));
}
