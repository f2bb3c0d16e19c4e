// Which `blscfg` a GRUB has: none, as GRUB's own releases before 2.14; that of Fedora, which reads the
// entries of one device; or one of Fedora's newer versions, which list what they find on the ESP as well, and
// unified kernels in /EFI/Linux of both.
#include <string.h>

#include "base/text.h"
#include "boot/grub_machine.h"

#define MODULE_FILE_MAX ((size_t)1 << 20)

/* The module where this GRUB would load it from: Fedora's, or `blsuki` of GRUB 2.14; NULL: it is not there.
 */
static const char *find_module(struct grub_machine *machine, const char *prefix, enum answer *known)
{
	static const char *const names[] = { "blscfg", "blsuki" };
	const struct grub_start *start = machine->start;
	enum grub_file_kind kind;
	*known = ANSWER_YES;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *module = arena_printf(machine->arena, "%s/%s-%s/%s.mod", prefix, start->cpu,
		                                  start->platform, names[i]);
		if (grub_look(machine, module, &kind) != ANSWER_YES)
			*known = ANSWER_UNKNOWN;
		else if (kind == GRUB_FILE_REGULAR)
			return module;
	}
	return NULL;
}

/* Does the module, a file on the disk, look on the ESP? */
static bool module_reads_esp(struct grub_machine *machine, const char *module)
{
	struct error error = { 0 };
	struct span content;
	struct grub_path path = grub_resolve(machine, module);
	return path.known == ANSWER_YES &&
	       machine->disk->load(machine->disk->context, path.partition, path.path, MODULE_FILE_MAX,
	                           machine->arena, &content, &error) &&
	       span_find(content, 0, GRUB_BLS_ON_ESP, strlen(GRUB_BLS_ON_ESP)) != SIZE_MAX;
}

bool grub_blscfg_missing(struct grub_machine *machine, bool *on_esp)
{
	const struct grub_start *start = machine->start;
	const struct grub_value *prefix = grub_environment_get(&machine->environment, "prefix");
	enum answer known;
	*on_esp = start->bls_on_esp;
	if (start->blscfg != ANSWER_NO || !prefix || prefix->unknown)
		return false;
	const char *module = find_module(machine, prefix->text, &known);
	if (module)
		*on_esp = module_reads_esp(machine, module);
	if (module || known != ANSWER_YES)
		return false;
	machine->no_blscfg = grub_reason(machine,
	                                 "this GRUB has no command `blscfg`, neither in its image nor as "
	                                 "%s/%s-%s/blscfg.mod: its menu is empty",
	                                 prefix->text, start->cpu, start->platform);
	grub_problem(machine, "grub-no-blscfg", machine->no_blscfg,
	             grub_place(machine, machine->source, machine->line));
	grub_finish(machine, false);
	return true;
}

/* The EFI system partition: that of the EFI program, or to a BIOS's GRUB the first of a GPT; 0: none. */
static uint64_t find_esp(const struct grub_machine *machine)
{
	const struct partition_table *table = machine->disk->table;
	if (str_equal(machine->start->platform, "efi"))
		return machine->start->cmd_partition;
	for (size_t i = 0; table && i < table->partitions.count; i++)
		if (str_equal(table->partitions.items[i].type, VOLUME_ESP_TYPE))
			return table->partitions.items[i].number;
	return 0;
}

/* Are there files with names like that in a folder that this GRUB lists? */
static bool may_hold(struct grub_machine *machine, uint64_t partition, const char *folder, const char *suffix)
{
	struct names names = { 0 };
	enum answer listed =
		machine->disk->list(machine->disk->context, partition, folder, machine->arena, &names);
	for (size_t i = 0; listed == ANSWER_YES && i < names.count; i++)
		if (names.items[i][0] != '.' && str_ends(names.items[i], suffix))
			return true;
	return listed == ANSWER_UNKNOWN;
}

void grub_blscfg_note_esp(struct grub_machine *machine, const struct grub_path *root)
{
	uint64_t esp = find_esp(machine);
	bool same = root->partition == esp;
	const char *folder = NULL;
	if (esp && !same && may_hold(machine, esp, "/loader/entries", ".conf"))
		folder = "/loader/entries on the EFI system partition";
	else if ((esp && may_hold(machine, esp, "/EFI/Linux", ".efi")) ||
	         (!same && may_hold(machine, root->partition, "/EFI/Linux", ".efi")))
		folder = "/EFI/Linux";
	if (folder)
		grub_add_opaque(machine,
		                grub_reason(machine, "this version of `blscfg` lists %s too", folder));
}
