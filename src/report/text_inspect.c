// `inspect` for a person: what stands in an input, each thing with its place.

#include <inttypes.h>
#include <string.h>

#include "report/phrase.h"
#include "report/views.h"

#define LABEL_COLUMNS 22

struct page {
	struct layout layout;
	const struct facts *facts;
};

static void print_heading(const struct page *page, const char *heading)
{
	fputc('\n', page->layout.out);
	layout_styled(&page->layout, STYLE_BOLD, heading);
	fputc('\n', page->layout.out);
}

static void print_row(const struct page *page, const char *label, const char *value)
{
	if (!value || !*value)
		return;
	layout_blanks(&page->layout, 2);
	unsigned used = layout_columns(label) + 2 > LABEL_COLUMNS ? layout_columns(label) + 2 : LABEL_COLUMNS;
	layout_padded(&page->layout, STYLE_DIM, label, used);
	layout_wrapped(&page->layout, 2 + used, 2 + LABEL_COLUMNS, value);
}

/* "value [place]" */
static void print_placed(const struct page *page, const char *label, const char *value,
                         const struct place *place)
{
	struct text line CLEANUP(text_free) = { 0 };
	text_add(&line, value ? value : "not known");
	if (place && !place_is_empty(place)) {
		text_add(&line, " [");
		phrase_place(&line, place, page->facts);
		text_add_char(&line, ']');
	}
	print_row(page, label, text_get(&line));
}

static const char *answer_word(enum answer answer)
{
	return answer == ANSWER_YES ? "yes" : answer == ANSWER_NO ? "no" : "not known";
}

static void print_partition(const struct page *page, const struct partition *partition)
{
	char label[32];
	struct text line CLEANUP(text_free) = { 0 };
	snprintf(label, sizeof(label), "partition %" PRIu64, partition->number);
	if (partition->volume)
		text_printf(&line, "%s, ", partition->volume);
	phrase_size(&line, partition->size);
	if (!partition->volume)
		text_printf(&line, " at byte %" PRIu64, partition->start);
	else if (partition->within)
		text_printf(&line, " in partition %" PRIu64, partition->within);
	const char *type =
		partition->type_name && *partition->type_name ? partition->type_name : partition->type;
	if (type && *type)
		text_printf(&line, ", %s", type);
	if (partition->file_system || !partition->volume || partition->readable)
		text_printf(&line, ", %s",
		            partition->file_system ? partition->file_system
		            : partition->unread    ? "unknown content"
		                                   : "no known file system");
	if (partition->uuid)
		text_printf(&line, ", UUID=%s", partition->uuid);
	if (partition->label && *partition->label)
		text_printf(&line, ", LABEL=%s", partition->label);
	if (partition->part_uuid && *partition->part_uuid)
		text_printf(&line, ", PARTUUID=%s", partition->part_uuid);
	if (partition->mount)
		text_printf(&line, ", mounted at %s", partition->mount);
	if (partition->bootable)
		text_add(&line, ", bootable");
	if (!partition->readable)
		text_add(&line, ", not readable");
	else if (partition->unread)
		text_add(&line, ", not all read");
	if (partition->unread)
		text_printf(&line, ": %s", partition->unread);
	print_row(page, partition->volume ? "logical volume" : label, text_get(&line));
}

static void print_member(const struct page *page, const struct packed_member *member)
{
	struct text line CLEANUP(text_free) = { 0 };
	text_printf(&line, "%s: %s, ", member->name, member->type);
	phrase_size(&line, member->size);
	text_printf(&line, ", %s header at byte %" PRIu64 "%s", member->format, member->header,
	            member->sparse ? ", sparse" : "");
	print_row(page, "member", text_get(&line));
}

static void print_packing(const struct page *page)
{
	const struct packing *packing = &page->facts->packing;
	struct text line CLEANUP(text_free) = { 0 };
	if (packing->compression) {
		text_printf(&line, "%s, unpacked ", packing->compression);
		phrase_size(&line, packing->unpacked_size);
		if (packing->streams > 1)
			text_printf(&line, ", %" PRIu64 " streams", packing->streams);
		if (packing->garbage)
			text_printf(&line, ", followed by something else at byte %" PRIu64, packing->garbage);
		print_row(page, "compression", text_get(&line));
	}
	for (size_t i = 0; i < packing->members.count; i++)
		print_member(page, &packing->members.items[i]);
	if (packing->member_count > packing->members.count) {
		text_clear(&line);
		text_printf(&line, "and %" PRIu64 " more", packing->member_count - packing->members.count);
		print_row(page, "member", text_get(&line));
	}
}

static void print_disk(const struct page *page)
{
	const struct facts *facts = page->facts;
	struct text line CLEANUP(text_free) = { 0 };
	print_heading(page, "disk");
	phrase_size(&line, facts->size);
	text_printf(&line, " (%" PRIu64 " bytes)", facts->size);
	print_row(page, "size", text_get(&line));
	print_row(page, "container", facts->container);
	print_packing(page);
	text_clear(&line);
	text_printf(&line, "%s, sectors of %" PRIu64 " bytes%s",
	            facts->table.kind ? facts->table.kind : "not read", facts->table.sector_size,
	            facts->table.hybrid ? ", hybrid MBR" : "");
	if (facts->table.disk_uuid)
		text_printf(&line, ", disk %s", facts->table.disk_uuid);
	print_row(page, "table", text_get(&line));
	for (size_t i = 0; i < facts->table.partitions.count; i++)
		print_partition(page, &facts->table.partitions.items[i]);
}

static void print_file(const struct page *page, const char *label, const struct boot_file *file)
{
	if (!file->path)
		return;
	struct place place = { .path = file->path, .partition = file->partition };
	struct text line CLEANUP(text_free) = { 0 };
	phrase_place(&line, &place, page->facts);
	if (file->section)
		text_printf(&line, ", section %s", file->section);
	if (file->found != ANSWER_YES)
		text_add(&line, file->found == ANSWER_NO ? ", which is not there" : ", not looked up");
	print_row(page, label, text_get(&line));
}

static void print_entry(const struct page *page, const struct boot_entry *entry, bool is_default)
{
	struct text line CLEANUP(text_free) = { 0 };
	text_printf(&line, "%s%s", entry->title ? entry->title : "(no title)",
	            is_default ? " (default)" : "");
	print_placed(page, "entry", text_get(&line), &entry->place);
	print_file(page, "  kernel", &entry->kernel);
	for (size_t i = 0; i < entry->initrds.count; i++)
		print_file(page, "  initrd", &entry->initrds.items[i]);
	print_row(page, "  command line", entry->command_line);
	if (entry->root) {
		text_clear(&line);
		text_add(&line, entry->root);
		if (entry->root_found == ANSWER_YES) {
			text_add(&line, ", ");
			volume_describe(&line, &page->facts->table, entry->root_partition);
		} else {
			text_printf(&line, ", %s", entry->root_reason ? entry->root_reason : "not found");
		}
		print_row(page, "  root", text_get(&line));
	}
}

static void print_boot(const struct page *page)
{
	const struct boot *boot = &page->facts->boot;
	print_heading(page, "boot");
	for (size_t i = 0; i < boot->paths.count; i++) {
		const struct boot_path *path = &boot->paths.items[i];
		struct text line CLEANUP(text_free) = { 0 };
		text_printf(&line, "%s: %s",
		            path->works == ANSWER_YES  ? "works"
		            : path->works == ANSWER_NO ? "does not work"
		                                       : "not known",
		            path->loader ? path->loader : "unknown");
		if (path->reason && *path->reason)
			text_printf(&line, "; %s", path->reason);
		print_placed(page, path->firmware ? path->firmware : "firmware", text_get(&line),
		             &path->place);
	}
	if (boot->loader)
		print_placed(page, "loader", boot->loader, &boot->config);
	if (boot->default_reason)
		print_placed(page, "default", boot->default_reason, &boot->default_place);
	if (boot->timeout)
		print_placed(page, "timeout", boot->timeout, &boot->timeout_place);
	for (size_t i = 0; i < boot->entries.count; i++)
		print_entry(page, &boot->entries.items[i],
		            boot->default_known == ANSWER_YES && boot->default_index == i);
}

static void print_module(const struct page *page, const struct kernel_module *module)
{
	static const char *const states[] = {
		[MODULE_UNKNOWN] = "not known",
		[MODULE_BUILTIN] = "built in",
		[MODULE_FILE] = "module",
		[MODULE_ABSENT] = "absent",
	};
	struct text line CLEANUP(text_free) = { 0 };
	text_add(&line, states[module->state]);
	if (module->state == MODULE_FILE) {
		text_printf(&line, ", in the initramfs: %s", answer_word(module->in_initramfs));
		if (module->missing && *module->missing)
			text_printf(&line, " (lacking %s)", module->missing);
	}
	if (module->loaded)
		text_add(&line, ", loaded");
	char label[80];
	snprintf(label, sizeof(label), "  %s", module->name ? module->name : "");
	print_placed(page, label, text_get(&line), &module->place);
}

static void print_config(const struct page *page, const struct kernel_config *config)
{
	print_row(page, "configuration", config->source ? config->source : config->reason);
	for (size_t i = 0; i < config->symbols.count; i++) {
		const struct config_symbol *symbol = &config->symbols.items[i];
		fprintf(page->layout.out, "    CONFIG_%s=%s", symbol->symbol ? symbol->symbol : "",
		        symbol->value ? symbol->value : "");
		if (symbol->line) {
			char line[32];
			snprintf(line, sizeof(line), "  [line %" PRIu64 "]", symbol->line);
			layout_styled(&page->layout, STYLE_DIM, line);
		}
		fputc('\n', page->layout.out);
	}
}

static void print_sysctl(const struct page *page, const struct sysctl *sysctl)
{
	struct text line CLEANUP(text_free) = { 0 };
	text_printf(&line, "%s = %s", sysctl->key ? sysctl->key : "", sysctl->value ? sysctl->value : "?");
	if (sysctl->effective && !str_equal(sysctl->effective, sysctl->value))
		text_printf(&line, " (effective: %s)", sysctl->effective);
	text_add(&line, "  [");
	if (sysctl->source == SYSCTL_KERNEL_DEFAULT)
		text_add(&line, "kernel default");
	else if (sysctl->source == SYSCTL_ABSENT)
		text_add(&line, "this kernel has no such key");
	else if (!place_is_empty(&sysctl->place))
		phrase_place(&line, &sysctl->place, page->facts);
	else
		text_add(&line, sysctl->reason && *sysctl->reason ? sysctl->reason : "not known");
	text_add(&line, "]");
	fprintf(page->layout.out, "    %s\n", text_get(&line));
}

static void print_kernel(const struct page *page, const struct kernel *kernel)
{
	struct text line CLEANUP(text_free) = { 0 };
	text_printf(&line, "kernel %s%s", kernel->version ? kernel->version : "of unknown version",
	            kernel->booted ? " (default)" : "");
	print_heading(page, text_get(&line));
	print_placed(page, "file", kernel->format, &kernel->place);
	print_row(page, "architecture", kernel->arch);
	print_row(page, "banner", kernel->banner);
	print_row(page, "starts as EFI",
	          kernel->efi_stub == ANSWER_UNKNOWN ? NULL : answer_word(kernel->efi_stub));
	if (!kernel->judged)
		return;
	print_config(page, &kernel->config);
	print_row(page, "modules", kernel->modules_directory);
	for (size_t i = 0; i < kernel->modules.count; i++)
		print_module(page, &kernel->modules.items[i]);
	if (kernel->initramfs.path) {
		print_placed(page, "initramfs", kernel->initramfs_compression, &kernel->initramfs);
		print_row(page, "  unreadable",
		          kernel->initramfs_read == ANSWER_NO ? kernel->initramfs_reason : NULL);
		print_row(page, "  modules", kernel->initramfs_modules);
		print_row(page, "  other kernels", kernel->initramfs_other_versions);
		if (kernel->initramfs_lvm != ANSWER_UNKNOWN)
			print_row(page, "  lvm",
			          kernel->initramfs_lvm == ANSWER_YES ? "carried" : "not carried");
	}
	if (kernel->sysctls.count > 0)
		layout_styled(&page->layout, STYLE_DIM,
		              page->facts->kind == INPUT_LIVE ? "  sysctls as they stand\n"
		                                              : "  sysctls after boot\n");
	for (size_t i = 0; i < kernel->sysctls.count; i++)
		print_sysctl(page, &kernel->sysctls.items[i]);
}

/* Where no kernel was found, what the files alone set. */
static void print_sysctls_of_files(const struct page *page)
{
	const struct facts *facts = page->facts;
	if (facts->sysctls.count > 0)
		print_heading(page, "sysctls after boot");
	for (size_t i = 0; i < facts->sysctls.count; i++)
		print_sysctl(page, &facts->sysctls.items[i]);
}

static void print_system(const struct page *page)
{
	const struct facts *facts = page->facts;
	if (facts->os.name || facts->os.id || facts->fstab.entries.count > 0) {
		print_heading(page, "system");
		print_placed(page, "os-release", facts->os.name ? facts->os.name : facts->os.id,
		             &facts->os.place);
		print_placed(page, "init", facts->os.init, &facts->os.init_place);
	}
	for (size_t i = 0; i < facts->fstab.entries.count; i++) {
		const struct mount_entry *entry = &facts->fstab.entries.items[i];
		struct text line CLEANUP(text_free) = { 0 };
		text_printf(&line, "%s on %s, %s", entry->device ? entry->device : "?",
		            entry->path ? entry->path : "?", entry->type ? entry->type : "?");
		if (entry->found == ANSWER_YES && entry->partition) {
			text_add(&line, ", ");
			volume_describe(&line, &page->facts->table, entry->partition);
		} else if (entry->found == ANSWER_NO)
			text_add(&line, ", which is not here");
		print_placed(page, "mount", text_get(&line), &entry->place);
	}
	if (facts->observations.items.count > 0)
		print_heading(page, "guest settings");
	for (size_t i = 0; i < facts->observations.items.count; i++) {
		const struct observation *item = &facts->observations.items.items[i];
		struct text line CLEANUP(text_free) = { 0 };
		text_add(&line,
		         item->value && item->state == ANSWER_YES ? item->value : answer_word(item->state));
		if (item->reason && *item->reason)
			text_printf(&line, "; %s", item->reason);
		const char *name = item->name ? item->name : "";
		print_placed(page, str_starts(name, "guest.") ? name + strlen("guest.") : name,
		             text_get(&line), item->places.count ? &item->places.items[0] : NULL);
	}
}

static void print_pci(const struct page *page, const struct pci_device *device)
{
	struct text line CLEANUP(text_free) = { 0 };
	text_printf(&line, "%04x:%04x, subsystem %04x:%04x, revision %s, driver %s", (unsigned)device->vendor,
	            (unsigned)device->device, (unsigned)device->subsystem_vendor,
	            (unsigned)device->subsystem_device, device->place.text ? device->place.text : "not known",
	            device->driver ? device->driver : "none");
	print_row(page, device->address, text_get(&line));
}

static void print_virtio(const struct page *page, const struct virtio_device *device)
{
	struct text line CLEANUP(text_free) = { 0 };
	text_printf(&line, "type %" PRIu64 " at %s, driver %s, features %s", device->type,
	            device->pci ? device->pci : "no PCI device", device->driver ? device->driver : "none",
	            device->features ? device->features : "not known");
	print_row(page, device->name, text_get(&line));
}

static void print_interface(const struct page *page, const struct network_interface *interface)
{
	struct text line CLEANUP(text_free) = { 0 };
	text_printf(&line, "%s, driver %s, offloads: %s", interface->device,
	            interface->driver ? interface->driver : "none",
	            interface->offloads ? interface->offloads : "not known");
	print_row(page, interface->name, text_get(&line));
}

static void print_scsi(const struct page *page, const struct hardware *hardware)
{
	for (size_t i = 0; i < hardware->scsi_hosts.count; i++) {
		const struct scsi_host *host = &hardware->scsi_hosts.items[i];
		struct text line CLEANUP(text_free) = { 0 };
		text_printf(&line, "%s, ", host->driver ? host->driver : "unknown driver");
		phrase_count(&line, host->queues, "request queue");
		print_placed(page, host->name, text_get(&line), &host->place);
	}
	for (size_t i = 0; i < hardware->scsi_devices.count; i++) {
		const struct scsi_device *device = &hardware->scsi_devices.items[i];
		struct text line CLEANUP(text_free) = { 0 };
		text_printf(&line, "%s %s, %s, INQUIRY version %" PRIu64,
		            device->vendor ? device->vendor : "?", device->model ? device->model : "?",
		            device->block ? device->block : "no block device", device->version);
		if (device->logical)
			text_printf(&line, ", sectors of %" PRIu64 " bytes, %" PRIu64 " physically",
			            device->logical, device->physical);
		print_row(page, device->name, text_get(&line));
	}
}

static void print_hardware(const struct page *page)
{
	const struct hardware *hardware = &page->facts->hardware;
	print_heading(page, "hardware");
	print_placed(page, "product", hardware->product, &hardware->product_place);
	for (size_t i = 0; i < hardware->pci_devices.count; i++)
		print_pci(page, &hardware->pci_devices.items[i]);
	for (size_t i = 0; i < hardware->virtio_devices.count; i++)
		print_virtio(page, &hardware->virtio_devices.items[i]);
	for (size_t i = 0; i < hardware->interfaces.count; i++)
		print_interface(page, &hardware->interfaces.items[i]);
	print_scsi(page, hardware);
	for (size_t i = 0; i < hardware->serial_ports.count; i++) {
		const struct serial_port *port = &hardware->serial_ports.items[i];
		struct text line CLEANUP(text_free) = { 0 };
		text_printf(&line, "IRQ %s, type %s", port->irq ? port->irq : "not known",
		            port->type ? port->type : "not known");
		print_placed(page, port->name, text_get(&line), &port->place);
	}
	for (size_t i = 0; i < hardware->unread.count; i++)
		print_row(page, "not read", hardware->unread.items[i].message);
}

static void print_problems(const struct page *page, const struct problem *problems, size_t count)
{
	for (size_t i = 0; i < count; i++)
		print_placed(page, problems[i].code ? problems[i].code : "problem", problems[i].message,
		             &problems[i].place);
}

static void print_noticed(const struct page *page)
{
	const struct facts *facts = page->facts;
	if (facts->table.problems.count + facts->boot.problems.count + facts->problems.count == 0)
		return;
	print_heading(page, "noticed");
	print_problems(page, facts->table.problems.items, facts->table.problems.count);
	print_problems(page, facts->boot.problems.items, facts->boot.problems.count);
	print_problems(page, facts->problems.items, facts->problems.count);
}

static void print_features(const struct page *page, const struct judgement *judgement)
{
	if (!judgement || judgement->features.count == 0)
		return;
	struct text line CLEANUP(text_free) = { 0 };
	for (size_t i = 0; i < judgement->features.count; i++)
		text_printf(&line, "%s%s", i ? ", " : "", judgement->features.items[i]);
	print_heading(page, "guest OS features with evidence");
	print_row(page, "features", text_get(&line));
	print_row(page, "note", judgement->features_note);
}

void text_inspect(FILE *out, const struct report_input *input, const struct report_options *options)
{
	struct page page = { .layout = { out, options->width, options->colour }, .facts = input->facts };
	struct text name CLEANUP(text_free) = { 0 }, what CLEANUP(text_free) = { 0 };
	phrase_name(&name, input->name);
	phrase_input(&what, input->facts);
	layout_styled(&page.layout, STYLE_BOLD, text_get(&name));
	layout_blanks(&page.layout, what.size > 0 ? 3 : 0);
	layout_wrapped(&page.layout, layout_columns(text_get(&name)) + 3, 4, text_get(&what));
	if (input->facts->examined != EXAMINED_FULL)
		print_row(&page, input->facts->examined == EXAMINED_NONE ? "not examined" : "only in part",
		          input->facts->reason);
	if (input->facts->examined == EXAMINED_NONE)
		return;
	if (input->facts->kind == INPUT_DISK) {
		print_disk(&page);
		print_boot(&page);
	}
	for (size_t i = 0; i < input->facts->kernels.count; i++)
		print_kernel(&page, &input->facts->kernels.items[i]);
	print_sysctls_of_files(&page);
	if (input->facts->kind == INPUT_LIVE)
		print_hardware(&page);
	print_system(&page);
	print_features(&page, input->judgement);
	print_noticed(&page);
}
