// The commands of a SYSLINUX configuration, line by line.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "boot/syslinux.h"

#define FILES_MAX  32 /* included, one by one or in each other */
#define DEPTH_MAX  8
#define LABELS_MAX 512

/* A line that is being read. */
struct line {
	const char *rest; /* behind the words that were taken */
	struct place place;
	unsigned includes; /* files that this one is included by */
};

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t\r\n\v\f");
}

/* Takes a word off the front, whatever its case; false when another stands there. */
static bool take(struct line *line, const char *word)
{
	size_t length = strlen(word);
	if (strncasecmp(line->rest, word, length) != 0 || (unsigned char)line->rest[length] > ' ')
		return false;
	line->rest = skip_blanks(line->rest + length);
	return true;
}

static const char *first_word(struct arena *arena, const char *text)
{
	return arena_string(arena, span_of(text, strcspn(text, " \t\r\n\v\f")));
}

const char *syslinux_path(const struct syslinux_config *config, const char *path)
{
	struct text plain CLEANUP(text_free) = { 0 };
	text_add(&plain, path[0] == '/' ? "" : config->folder);
	while (*path) {
		size_t length = strcspn(path, "/");
		if (length == 2 && path[0] == '.' && path[1] == '.') {
			const char *slash = strrchr(text_get(&plain), '/');
			plain.size = slash ? (size_t)(slash - plain.data) : 0;
			if (plain.data)
				plain.data[plain.size] = '\0';
		} else if (length > 0 && !(length == 1 && path[0] == '.')) {
			text_add_char(&plain, '/');
			text_add_span(&plain, span_of(path, length));
		}
		path += length + (path[length] == '/');
	}
	return arena_strdup(config->disk->arena, plain.size > 0 ? text_get(&plain) : "/");
}

static struct syslinux_label *label_of(struct syslinux_config *config)
{
	return config->in_label ? &config->labels.items[config->labels.count - 1] : NULL;
}

/* The line that says most of an entry is its evidence. */
static void place_label(struct syslinux_label *label, const struct line *line, unsigned rank)
{
	if (rank < label->place_rank)
		return;
	label->place = line->place;
	label->place_rank = rank;
}

static void begin_label(struct syslinux_config *config, const struct line *line)
{
	struct arena *arena = config->disk->arena;
	const char *name = first_word(arena, line->rest);
	config->in_label = config->labels.count < LABELS_MAX;
	if (!config->in_label) {
		config->doubt = "there are more labels than are read";
		return;
	}
	struct syslinux_label *label = LIST_ADD(arena, &config->labels);
	*label = (struct syslinux_label){
		.name = name, .title = name, .type = "kernel", .kernel = name, .depth = config->depth
	};
	place_label(label, line, 1);
}

static void read_file(struct syslinux_config *config, const char *path, unsigned includes);

static void include(struct syslinux_config *config, const struct line *line)
{
	const char *path = syslinux_path(config, first_word(config->disk->arena, line->rest));
	if (line->includes + 1 < DEPTH_MAX && config->files < FILES_MAX)
		read_file(config, path, line->includes + 1);
	else
		config->doubt = "configuration files include each other too often";
}

/* `menu include FILE TITLE` puts what it brings into a submenu. */
static void include_menu(struct syslinux_config *config, const struct line *line)
{
	bool submenu = line->rest[strcspn(line->rest, " \t")] != '\0';
	if (submenu)
		config->in_label = false;
	config->depth += submenu;
	include(config, line);
	if (submenu)
		config->in_label = false;
	config->depth -= submenu && config->depth > 0;
}

/* `menu ...`: most of it is colours and titles. */
static void read_menu_command(struct syslinux_config *config, struct line *line)
{
	struct syslinux_label *label = label_of(config);
	if (take(line, "label")) {
		if (label)
			label->title = arena_strdup(config->disk->arena, line->rest);
	} else if (take(line, "default")) {
		if (label && config->depth == 0)
			config->menu_default = label->name;
		else if (!label && config->depth == 1)
			config->doubt = "a submenu is the default of the menu";
	} else if (take(line, "disable") || take(line, "disabled")) {
		if (label)
			label->disabled = true;
	} else if (take(line, "hide")) {
		if (label)
			label->hidden = true;
	} else if (take(line, "begin")) {
		config->depth++;
		config->in_label = false;
	} else if (take(line, "end")) {
		config->depth -= config->depth > 0;
		config->in_label = false;
	} else if (take(line, "separator")) {
		config->in_label = false;
	} else if (take(line, "start")) {
		config->doubt = config->depth > 0 ? "the menu starts in a submenu" : config->doubt;
	} else if (take(line, "include")) {
		include_menu(config, line);
	}
}

/* Commands inside a label. */
static bool read_label_command(struct syslinux_config *config, struct line *line)
{
	static const char *const types[] = { "kernel",  "linux",   "boot",  "bss",    "pxe",
		                             "fdimage", "comboot", "com32", "config", "localboot" };
	struct arena *arena = config->disk->arena;
	struct syslinux_label *label = label_of(config);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!take(line, types[i]))
			continue;
		if (label) {
			label->type = types[i];
			label->kernel = first_word(arena, line->rest);
			place_label(label, line, 2);
		}
		return true;
	}
	if (take(line, "append")) {
		const char *append = arena_strdup(arena, line->rest);
		if (label) {
			label->append = append;
			place_label(label, line, 3);
		} else {
			config->append = append;
		}
		return true;
	}
	if (take(line, "initrd")) {
		if (label)
			label->initrd = arena_strdup(arena, line->rest);
		return true;
	}
	return false;
}

static uint64_t number_of(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);
	return number > 0 ? (uint64_t)number : 0;
}

static void read_global_command(struct syslinux_config *config, struct line *line)
{
	struct arena *arena = config->disk->arena;
	if (take(line, "default")) {
		config->fallback = arena_strdup(arena, line->rest);
		config->default_place = line->place;
	} else if (take(line, "ui")) {
		config->ui = arena_strdup(arena, line->rest);
	} else if (take(line, "ontimeout")) {
		config->on_timeout = arena_strdup(arena, line->rest);
	} else if (take(line, "timeout")) {
		config->timeout = number_of(line->rest);
		config->timeout_place = line->place;
	} else if (take(line, "totaltimeout")) {
		config->total_timeout = number_of(line->rest);
	} else if (take(line, "prompt")) {
		config->prompt = number_of(line->rest) > 0 || line->rest[0] == '-';
	}
}

static void read_line(struct syslinux_config *config, struct line *line)
{
	if (config->in_text)
		config->in_text = !take(line, "endtext");
	else if (take(line, "menu"))
		read_menu_command(config, line);
	else if (take(line, "text"))
		config->in_text = true;
	else if (take(line, "include"))
		include(config, line);
	else if (take(line, "label"))
		begin_label(config, line);
	else if (!read_label_command(config, line))
		read_global_command(config, line);
}

static void read_file(struct syslinux_config *config, const char *path, unsigned includes)
{
	struct arena *arena = config->disk->arena;
	struct span rest, text;
	struct error error = { 0 };
	config->files++;
	if (!boot_disk_load(config->disk, config->partition, path, SYSLINUX_CONFIG_MAX, arena, &rest,
	                    &error)) {
		/* What does not exist is passed over. */
		if (error.code != ERROR_NOT_FOUND)
			config->doubt = arena_printf(arena, "%s cannot be read: %s", path, error.message);
		return;
	}
	for (uint64_t number = 1; span_next_line(&rest, &text); number++) {
		if (!budget_step(config->disk->budget, 1 + text.size / 64, "a syslinux configuration",
		                 &error)) {
			config->doubt = arena_strdup(arena, error.message);
			return;
		}
		const char *quoted = arena_string(arena, span_trim(text));
		struct line line = {
			.rest = quoted,
			.place = { .partition = config->partition,
			           .path = path,
			           .line = number,
			           .text = quoted },
			.includes = includes,
		};
		read_line(config, &line);
	}
}

void syslinux_read(struct syslinux_config *config, const char *path)
{
	config->folder = boot_disk_folder(config->disk, path);
	read_file(config, path, 0);
}
