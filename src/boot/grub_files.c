#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "boot/grub_machine.h"
#include "boot/grubenv.h"
#include "boot/volume_names.h"

const char *grub_device_name(struct grub_machine *machine, uint64_t partition)
{
	const struct partition_table *table = machine->disk->table;
	const struct partition *volume = table ? volume_find(table, partition) : NULL;
	if (volume && volume->volume)
		return volume_grub_name(volume, machine->arena);
	if (partition == 0 || !machine->disk->scheme)
		return "hd0";
	return arena_printf(machine->arena, "hd0,%s%" PRIu64, machine->disk->scheme, partition);
}

/* "hd0", "hd0,gpt2", "hd0,msdos1", "hd0,2", "lvm/rhel-root": the one disk. Every other device is beyond us.
 */
static enum answer parse_device(const struct grub_machine *machine, struct span device, uint64_t *partition)
{
	char name[600]; /* that of a logical volume has up to 127 characters twice, with each hyphen doubled
	                 */
	if (device.size >= sizeof(name))
		return ANSWER_UNKNOWN;
	memcpy(name, device.data, device.size);
	name[device.size] = 0;
	*partition = 0;
	if (machine->disk->table && (str_starts(name, "lvm/") || str_starts(name, "lvmid/")))
		return volume_resolve_grub(name, machine->disk->table, partition);
	if (str_equal(name, "hd0"))
		return ANSWER_YES;
	if (!str_starts(name, "hd0,"))
		return ANSWER_UNKNOWN;
	const char *part = name + strlen("hd0,");
	const char *scheme = machine->disk->scheme ? machine->disk->scheme : "";
	if (*scheme && str_starts(part, scheme))
		part += strlen(scheme);
	else if (str_starts(part, "gpt") || str_starts(part, "msdos"))
		return ANSWER_NO;
	return str_to_u64(part, partition) && *partition > 0 ? ANSWER_YES : ANSWER_UNKNOWN;
}

struct grub_path grub_resolve(struct grub_machine *machine, const char *name)
{
	struct grub_path path = { .known = ANSWER_NO, .path = name };
	struct span device;
	if (name[0] == '(') {
		const char *close = strchr(name, ')');
		if (!close)
			return path;
		device = span_of(name + 1, (size_t)(close - name - 1));
		path.path = close + 1;
	} else {
		const struct grub_value *root = grub_environment_get(&machine->environment, "root");
		if (!root)
			return path;
		if (root->unknown) {
			path.known = ANSWER_UNKNOWN;
			path.unknown = root->unknown;
			return path;
		}
		device = span_text(root->text);
	}
	/* GRUB takes what does not begin with a slash for a list of blocks. */
	if (path.path[0] == '/')
		path.known = parse_device(machine, device, &path.partition);
	grub_btrfs_observe(machine);
	if (path.known == ANSWER_YES)
		path.path = grub_btrfs_path(machine->disk, &machine->btrfs, path.partition, path.path,
		                            machine->arena);
	if (path.known == ANSWER_UNKNOWN)
		path.unknown =
			grub_reason(machine, "cannot tie the device (%.*s) to a partition of this disk",
		                    (int)(device.size < 80 ? device.size : 80), (const char *)device.data);
	return path;
}

enum answer grub_look(struct grub_machine *machine, const char *name, enum grub_file_kind *kind)
{
	struct grub_path path = grub_resolve(machine, name);
	*kind = GRUB_FILE_ABSENT;
	if (path.known != ANSWER_YES)
		return path.known == ANSWER_NO ? ANSWER_YES : ANSWER_UNKNOWN;
	return machine->disk->look(machine->disk->context, path.partition, path.path, kind);
}

/* What a `search` asks, in either of its spellings. */
struct search {
	enum grub_search by;
	const struct grub_argument *key;
	const char *variable; /* NULL: none is set */
};

static bool is_hint(const char *word)
{
	return str_starts(word, "--hint") || str_equal(word, "--no-floppy") || str_equal(word, "-n") ||
	       str_equal(word, "--efidisk-only") || str_equal(word, "--root-dev-only") ||
	       str_equal(word, "-r");
}

static struct search parse_search(const struct grub_arguments *arguments)
{
	struct search search = { .by = GRUB_SEARCH_FILE };
	const char *set = NULL;
	for (size_t i = 1; i < arguments->list.count; i++) {
		const char *word = arguments->list.items[i].text;
		if (str_equal(word, "--fs-uuid") || str_equal(word, "-u"))
			search.by = GRUB_SEARCH_UUID;
		else if (str_equal(word, "--label") || str_equal(word, "-l"))
			search.by = GRUB_SEARCH_LABEL;
		else if (str_equal(word, "--file") || str_equal(word, "-f"))
			search.by = GRUB_SEARCH_FILE;
		else if (str_equal(word, "--set") || str_equal(word, "-s"))
			search.variable = "root";
		else if (str_starts(word, "--set="))
			search.variable = set = word + strlen("--set=");
		else if (str_equal(word, "--hint") || str_equal(word, "-h"))
			i++;
		else if (!is_hint(word) && !search.key)
			search.key = &arguments->list.items[i];
	}
	/* "--set=KEY" alone: GRUB takes it for the key, and `root` for the variable. */
	if (!search.key && set)
		search.variable = NULL;
	return search;
}

/* search.fs_uuid KEY [VARIABLE [HINT...]] */
static struct search parse_search_short(const struct grub_arguments *arguments)
{
	const char *name = arguments->list.items[0].text;
	struct search search = { .by = GRUB_SEARCH_FILE };
	if (str_equal(name, "search.fs_uuid"))
		search.by = GRUB_SEARCH_UUID;
	else if (str_equal(name, "search.fs_label"))
		search.by = GRUB_SEARCH_LABEL;
	if (arguments->list.count > 1)
		search.key = &arguments->list.items[1];
	if (arguments->list.count > 2)
		search.variable = arguments->list.items[2].text;
	return search;
}

void grub_do_search(struct grub_machine *machine, const struct grub_arguments *arguments,
                    const struct grub_node *node)
{
	(void)node;
	struct search search = str_equal(arguments->list.items[0].text, "search")
	                               ? parse_search(arguments)
	                               : parse_search_short(arguments);
	if (!search.key) {
		grub_finish(machine, false);
		return;
	}
	uint64_t partition = 0;
	const char *unknown = search.key->unknown;
	enum answer found = ANSWER_UNKNOWN;
	if (!unknown)
		found = machine->disk->search(machine->disk->context, search.by, search.key->text,
		                              &partition);
	if (!unknown && found == ANSWER_UNKNOWN)
		unknown = grub_reason(machine, "cannot tell which partition `search` finds for %s",
		                      search.key->text);
	if (found == ANSWER_NO) {
		grub_problem(machine, "grub-search",
		             grub_reason(machine, "`search` finds no file system for %s", search.key->text),
		             grub_place(machine, machine->source, machine->line));
		grub_finish(machine, false);
		return;
	}
	if (search.variable)
		grub_set(machine, search.variable, unknown ? "" : grub_device_name(machine, partition),
		         unknown);
	grub_finish(machine, true);
	if (unknown)
		grub_finish_unknown(machine, unknown);
}

static void load_entry(struct grub_machine *machine, const struct grubenv_entry *entry,
                       const struct grub_path *path)
{
	struct grub_value value = {
		.text = entry->value,
		.unknown = machine->maybe,
		.origin = arena_printf(machine->arena, "%s of grubenv", entry->name),
		.place = {
			.partition = path->partition,
			.path = arena_strdup(machine->arena, path->path),
			.line = entry->line,
			.text = arena_printf(machine->arena, "%s=%s", entry->name, entry->value),
		},
	};
	(void)grub_environment_set(&machine->environment, entry->name, value, machine->arena);
}

/* With names behind it, load_env takes those alone. */
static bool wanted(const struct grub_arguments *arguments, size_t first, const char *name)
{
	bool any = false;
	for (size_t i = first; i < arguments->list.count; i++) {
		const char *word = arguments->list.items[i].text;
		if (str_equal(word, "-f") || str_equal(word, "--file"))
			i++;
		else if (word[0] != '-') {
			any = true;
			if (str_equal(word, name))
				return true;
		}
	}
	return !any;
}

static const char *env_file(struct grub_machine *machine, const struct grub_arguments *arguments,
                            const char **unknown)
{
	const struct grub_value *prefix = grub_environment_get(&machine->environment, "prefix");
	for (size_t i = 1; i < arguments->list.count; i++) {
		const struct grub_argument *argument = &arguments->list.items[i];
		bool next = str_equal(argument->text, "-f") || str_equal(argument->text, "--file");
		*unknown = argument->unknown;
		if (str_starts(argument->text, "--file="))
			return argument->text + strlen("--file=");
		if (next && i + 1 < arguments->list.count) {
			*unknown = argument[1].unknown;
			return argument[1].text;
		}
	}
	*unknown = prefix ? prefix->unknown : NULL;
	return prefix ? arena_printf(machine->arena, "%s/grubenv", prefix->text) : "";
}

/* What a block that cannot be read would set is not known: the names that menus depend on. */
static void forget_env(struct grub_machine *machine, const char *reason)
{
	static const char *const names[] = { "saved_entry", "next_entry", "prev_saved_entry",
		                             "boot_success" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		grub_set(machine, names[i], "", reason);
	grub_finish_unknown(machine, reason);
}

void grub_do_load_env(struct grub_machine *machine, const struct grub_arguments *arguments,
                      const struct grub_node *node)
{
	(void)node;
	const char *unknown = NULL;
	const char *name = env_file(machine, arguments, &unknown);
	struct grub_path path = grub_resolve(machine, name);
	enum grub_file_kind kind = GRUB_FILE_ABSENT;
	if (unknown || grub_look(machine, name, &kind) != ANSWER_YES) {
		forget_env(machine, unknown ? unknown : grub_reason(machine, "cannot read `%s`", name));
		return;
	}
	struct span file;
	struct grubenv block = { 0 };
	struct error error = { 0 };
	if (kind == GRUB_FILE_ABSENT || kind == GRUB_FILE_DIRECTORY) {
		grub_finish(machine, false);
		return;
	}
	if (!machine->disk->load(machine->disk->context, path.partition, path.path, GRUB_CONFIG_MAX,
	                         machine->arena, &file, &error)) {
		forget_env(machine, grub_reason(machine, "cannot read `%s`: %s", name, error.message));
		return;
	}
	struct place place = { .partition = path.partition, .path = arena_strdup(machine->arena, path.path) };
	if (!grubenv_parse(file, machine->arena, &block, &error))
		grub_problem(machine, "grub-env", arena_strdup(machine->arena, error.message), place);
	for (size_t i = 0; i < block.entries.count && grub_spend(machine, 1); i++)
		if (wanted(arguments, 1, block.entries.items[i].name))
			load_entry(machine, &block.entries.items[i], &path);
	grub_finish(machine, block.entries.count > 0 || !error.code);
}
