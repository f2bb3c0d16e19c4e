// SYSLINUX's menu: the labels of its configuration, and which one boots when nobody is there.
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "boot/syslinux.h"

/* Why no entry can be the default; *known says whether that is for certain. */
struct refusal {
	enum answer known;
	const char *reason;
};

static size_t word_length(const char *text)
{
	return strcspn(text, " \t\r\n\v\f");
}

/* The label that a command begins with; SIZE_MAX: it names none. */
static size_t find_label(const struct syslinux_config *config, const char *command)
{
	size_t length = command ? word_length(command) : 0;
	for (size_t i = 0; length > 0 && i < config->labels.count; i++) {
		const char *name = config->labels.items[i].name;
		if (strlen(name) == length && strncmp(command, name, length) == 0)
			return i;
	}
	return SIZE_MAX;
}

static bool is_module(const char *command)
{
	size_t length = word_length(command);
	return length >= 4 && strncasecmp(command + length - 4, ".c32", 4) == 0;
}

static enum answer is_there(const struct syslinux_config *config, const char *path)
{
	enum grub_file_kind kind;
	enum answer known = boot_disk_look(config->disk, config->partition, path, &kind);
	return known != ANSWER_YES ? ANSWER_UNKNOWN : kind == GRUB_FILE_REGULAR ? ANSWER_YES : ANSWER_NO;
}

static struct boot_file file_of(const struct syslinux_config *config, const char *name)
{
	const char *path = syslinux_path(config, name);
	return (struct boot_file){
		.path = path,
		.partition = config->partition,
		.found = is_there(config, path),
	};
}

/* The files that the first "initrd=" of the command line names, commas between. */
static void add_initrds(const struct syslinux_config *config, struct boot_entry *entry)
{
	static const char word[] = "initrd=";
	const char *at = entry->command_line;
	while ((at = strstr(at, word)) && at != entry->command_line && at[-1] != ' ')
		at += strlen(word);
	if (!at)
		return;
	for (at += strlen(word); *at && *at != ' ';) {
		size_t length = strcspn(at, ", ");
		const char *name = arena_string(config->disk->arena, span_of(at, length));
		if (length > 0)
			*LIST_ADD(config->disk->arena, &entry->initrds) = file_of(config, name);
		at += length + (at[length] == ',');
	}
}

/* A label as an entry: the loader itself puts "initrd=" behind what is appended. */
static struct boot_entry entry_of(const struct syslinux_config *config, const struct syslinux_label *label)
{
	struct arena *arena = config->disk->arena;
	const char *append = label->append ? label->append : config->append;
	struct boot_entry entry = { .id = label->name, .title = label->title, .place = label->place };
	bool is_linux = str_equal(label->type, "linux") ||
	                (str_equal(label->type, "kernel") && !is_module(label->kernel));
	if (!append || str_equal(append, "-"))
		append = "";
	entry.command_line = append;
	if (label->initrd)
		entry.command_line =
			arena_printf(arena, "%s%sinitrd=%s", append, *append ? " " : "", label->initrd);
	if (!is_linux)
		return entry;
	entry.kernel = file_of(config, label->kernel);
	add_initrds(config, &entry);
	return entry;
}

/* SIZE_MAX for a label that is not in the menu: `menu hide` leaves it to those who type its name. */
static size_t shown(const struct syslinux_config *config, size_t index)
{
	return index != SIZE_MAX && config->labels.items[index].hidden ? SIZE_MAX : index;
}

/* Where a menu starts: at the label that `default` names, at `menu default`, at the first that is no
 * separator. */
static size_t first_of_menu(const struct syslinux_config *config)
{
	size_t index = shown(config, find_label(config, config->fallback));
	if (index == SIZE_MAX)
		index = shown(config, find_label(config, config->menu_default));
	for (size_t i = 0; index == SIZE_MAX && i < config->labels.count; i++)
		if (config->labels.items[i].depth == 0 && !config->labels.items[i].disabled)
			index = shown(config, i);
	return index;
}

/* A module for the menu that is not there leaves nothing but a prompt. */
static bool has_module(const struct syslinux_config *config, const char *command, struct refusal *refusal)
{
	const char *name = arena_string(config->disk->arena, span_of(command, word_length(command)));
	enum answer there = is_there(config, syslinux_path(config, name));
	if (there == ANSWER_YES)
		return true;
	*refusal = (struct refusal){
		ANSWER_UNKNOWN,
		arena_printf(config->disk->arena,
		             "whether syslinux finds its menu %s is not known: it is not in %s", name,
		             *config->folder ? config->folder : "/"),
	};
	return false;
}

/* A kernel named by `default` itself: "vmlinuz root=/dev/sda1". */
static size_t add_named_kernel(struct syslinux_config *config, const char *command)
{
	struct arena *arena = config->disk->arena;
	size_t length = word_length(command);
	const char *name = arena_string(arena, span_of(command, length));
	struct syslinux_label *label = LIST_ADD(arena, &config->labels);
	*label = (struct syslinux_label){
		.name = name,
		.title = name,
		.type = "kernel",
		.kernel = name,
		.append = command + length + strspn(command + length, " \t"),
		.place = config->default_place,
	};
	return config->labels.count - 1;
}

/* What boots when nobody types: SIZE_MAX and why, when nothing does. */
static size_t choose(struct syslinux_config *config, struct refusal *refusal)
{
	const char *command = config->ui ? config->ui : config->fallback;
	const char *waited = config->on_timeout;
	*refusal = (struct refusal){ ANSWER_NO,
		                     "the configuration has neither default nor ui: syslinux asks what "
		                     "to boot" };
	if (!command && !(config->prompt && waited))
		return SIZE_MAX;
	if (command && is_module(command) && find_label(config, command) == SIZE_MAX) {
		if (!has_module(config, command, refusal))
			return SIZE_MAX;
		size_t index = waited ? find_label(config, waited) : first_of_menu(config);
		*refusal = (struct refusal){ waited ? ANSWER_UNKNOWN : ANSWER_NO,
			                     waited ? "ontimeout names no label"
			                            : "the menu of syslinux has no entries" };
		return index;
	}
	if (config->prompt && waited)
		command = waited;
	size_t index = find_label(config, command);
	return index != SIZE_MAX ? index : add_named_kernel(config, command);
}

/* Only a prompt or a menu waits. What was not read may have asked for one, and said for how long. */
static void find_timeout(const struct syslinux_config *config)
{
	const char *command = config->ui ? config->ui : config->fallback;
	bool waits = !command || config->prompt || is_module(command);
	/* Both run, and the first to end boots; 0 is none. */
	uint64_t tenths = config->timeout, total = config->total_timeout;
	if (tenths == 0 || (total > 0 && total < tenths))
		tenths = total;
	struct boot *out = config->out;
	out->timeout_place = config->timeout_place;
	if (config->doubt)
		out->timeout = NULL;
	else if (!waits)
		out->timeout = "0";
	else if (tenths == 0)
		out->timeout = "-1";
	else if (tenths % 10 == 0)
		out->timeout = arena_printf(config->disk->arena, "%" PRIu64, tenths / 10);
	else
		out->timeout = arena_printf(config->disk->arena, "%" PRIu64 ".%u", tenths / 10,
		                            (unsigned)(tenths % 10));
}

static void set_default(const struct syslinux_config *config, size_t index, const struct refusal *refusal)
{
	struct boot *out = config->out;
	out->default_place = config->default_place;
	if (index == SIZE_MAX || config->doubt) {
		out->default_known = config->doubt ? ANSWER_UNKNOWN : refusal->known;
		out->default_reason = config->doubt ? config->doubt : refusal->reason;
		return;
	}
	out->default_known = ANSWER_YES;
	out->default_index = index;
	out->default_reason = arena_printf(config->disk->arena, "label %s is syslinux's default",
	                                   config->labels.items[index].name);
}

bool syslinux_read_menu(struct boot_disk *disk, const struct firmware_path *way, struct boot *out,
                        struct error *error)
{
	struct syslinux_config config = { .disk = disk, .out = out, .partition = way->path.config_partition };
	struct refusal refusal;
	(void)error;
	out->loader = "syslinux";
	out->config = (struct place){ .partition = config.partition, .path = way->path.config };
	syslinux_read(&config, way->path.config);
	find_timeout(&config);
	size_t index = choose(&config, &refusal);
	for (size_t i = 0; i < config.labels.count; i++)
		*LIST_ADD(disk->arena, &out->entries) = entry_of(&config, &config.labels.items[i]);
	set_default(&config, index, &refusal);
	return true;
}
