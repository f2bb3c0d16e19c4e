#include <stdlib.h>
#include <string.h>

#include "os/kernel.h"

/*
 * The format of Kconfig's .config: one symbol a line, "CONFIG_X=value" or "# CONFIG_X is not set", strings in
 * double quotes with \" and \\; any other line is a comment. Nothing stands before the first character.
 */
#define PREFIX  "CONFIG_"
#define NOT_SET " is not set"
/* The comment at the top of what conf has written. */
#define GENERATED "# Automatically generated "

/*
 * The wanted names, hashed once: a configuration has ten thousand lines, of which a hundred count. Only names
 * that we ask for are in the table, so that no configuration can make it slow.
 */
struct wanted {
	const struct names *names; /* NULL: all */
	uint32_t *slots;           /* 1 + index of a name; 0: free */
	size_t *found;             /* per name: 1 + index of its symbol; 0: not yet */
	size_t mask;               /* slots less one */
};

static uint32_t hash_of(struct span name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	for (size_t i = 0; i < name.size; i++)
		hash = (hash ^ name.data[i]) * 16777619u;
	return hash;
}

/* The slot that holds the name, or the free one where it would be. */
static size_t slot_of(const struct wanted *wanted, struct span name)
{
	size_t slot = hash_of(name) & wanted->mask;
	while (wanted->slots[slot] && !span_equal_text(name, wanted->names->items[wanted->slots[slot] - 1]))
		slot = (slot + 1) & wanted->mask;
	return slot;
}

static struct wanted wanted_of(const struct names *names, struct arena *arena)
{
	struct wanted wanted = { .names = names };
	if (!names)
		return wanted;
	size_t size = 16;
	while (size < names->count * 2)
		size *= 2;
	wanted.mask = size - 1;
	wanted.slots = arena_alloc_array(arena, size, sizeof(*wanted.slots));
	wanted.found = arena_alloc_array(arena, names->count, sizeof(*wanted.found));
	for (size_t i = 0; i < names->count; i++)
		wanted.slots[slot_of(&wanted, span_text(names->items[i]))] = (uint32_t)i + 1;
	return wanted;
}

/* A line as it was split, still in the text. */
struct setting {
	struct span symbol, value;
};

static bool is_symbol(struct span name)
{
	for (size_t i = 0; i < name.size; i++) {
		uint8_t c = name.data[i];
		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return name.size > 0;
}

static bool split_line(struct span line, struct setting *out)
{
	size_t prefix = strlen(PREFIX);
	if (span_has(line, 0, PREFIX, prefix)) {
		size_t equals = span_find(line, prefix, "=", 1);
		return equals != SIZE_MAX && span_slice(line, prefix, equals - prefix, &out->symbol) &&
		       is_symbol(out->symbol) &&
		       span_slice(line, equals + 1, line.size - equals - 1, &out->value);
	}
	if (!span_has(line, 0, "# " PREFIX, prefix + 2))
		return false;
	size_t blank = span_find(line, prefix + 2, " ", 1);
	out->value = span_text("n");
	return blank != SIZE_MAX && span_has(line, blank, NOT_SET, strlen(NOT_SET)) &&
	       span_slice(line, prefix + 2, blank - prefix - 2, &out->symbol) && is_symbol(out->symbol);
}

/* A quoted string without its quotes and escapes; anything else as it stands. */
static const char *plain_value(struct span value, struct arena *arena)
{
	if (!span_has(value, 0, "\"", 1))
		return arena_string(arena, value);
	char *plain = arena_alloc(arena, value.size + 1);
	size_t length = 0;
	for (size_t i = 1; i < value.size && value.data[i] != '"'; i++) {
		if (value.data[i] == '\\' && i + 1 < value.size)
			i++;
		plain[length++] = (char)value.data[i];
	}
	return plain;
}

static void keep(const struct setting *setting, struct span text, uint64_t line, struct wanted *wanted,
                 struct arena *arena, struct kernel_config *out)
{
	struct config_symbol *symbol;
	if (wanted->names) {
		uint32_t name = wanted->slots[slot_of(wanted, setting->symbol)];
		if (!name)
			return;
		size_t *found = &wanted->found[name - 1];
		symbol = *found ? &out->symbols.items[*found - 1] : LIST_ADD(arena, &out->symbols);
		*found = *found ? *found : out->symbols.count;
	} else {
		symbol = LIST_ADD(arena, &out->symbols);
	}
	*symbol = (struct config_symbol){
		.symbol = arena_string(arena, setting->symbol),
		.value = plain_value(setting->value, arena),
		.line = line,
		.text = arena_string(arena, text),
	};
}

/*
 * The comments at the top that only a whole configuration has:
 *   # Automatically generated file; DO NOT EDIT.
 *   # Linux/x86 6.1.0 Kernel Configuration
 */
static void read_header(struct span line, struct arena *arena, struct kernel_config *out)
{
	static const char linux[] = "# Linux/";
	static const char title[] = " Kernel Configuration";
	if (span_has(line, 0, GENERATED, sizeof(GENERATED) - 1))
		out->complete = ANSWER_YES;
	if (!span_has(line, 0, linux, sizeof(linux) - 1))
		return;
	size_t begin = span_find(line, sizeof(linux) - 1, " ", 1);
	size_t end = span_find(line, sizeof(linux) - 1, title, sizeof(title) - 1);
	struct span version;
	if (begin == SIZE_MAX || end == SIZE_MAX || end <= begin ||
	    !span_slice(line, begin + 1, end - begin - 1, &version))
		return;
	out->complete = ANSWER_YES;
	if (!out->version)
		out->version = arena_string(arena, version);
}

static int by_symbol_then_line(const void *a, const void *b)
{
	const struct config_symbol *const *left = a, *const *right = b;
	int order = strcmp((*left)->symbol, (*right)->symbol);
	return order ? order : ((*left)->line > (*right)->line) - ((*left)->line < (*right)->line);
}

/* Where all are kept: of a symbol's lines the last one's value goes to the place of the first. */
static void drop_repeated(struct kernel_config *config)
{
	size_t count = config->symbols.count, kept = 0;
	struct config_symbol *items = config->symbols.items;
	struct config_symbol **order = xmalloc(count * sizeof(struct config_symbol *));
	for (size_t i = 0; i < count; i++)
		order[i] = &items[i];
	qsort(order, count, sizeof(*order), by_symbol_then_line);
	for (size_t i = 0, first = 0; i < count; i++) {
		if (!str_equal(order[i]->symbol, order[first]->symbol))
			first = i;
		if (first == i)
			continue;
		*order[first] = *order[i];
		order[i]->text = NULL;
	}
	free(order);
	for (size_t i = 0; i < count; i++)
		if (items[i].text)
			items[kept++] = items[i];
	config->symbols.count = kept;
}

void kernel_config_parse(struct span text, const struct names *wanted_names, struct arena *arena,
                         struct kernel_config *out)
{
	struct kernel_config config = { .complete = ANSWER_NO };
	struct wanted wanted = wanted_of(wanted_names, arena);
	struct span rest = text, line;
	bool header = true;
	for (uint64_t number = 1; span_next_line(&rest, &line); number++) {
		struct setting setting;
		if (split_line(line, &setting)) {
			header = false;
			keep(&setting, line, number, &wanted, arena, &config);
		} else if (header) {
			read_header(line, arena, &config);
		}
	}
	if (!wanted_names)
		drop_repeated(&config);
	if (config.complete == ANSWER_YES && !span_has(text, text.size - 1, "\n", 1)) {
		config.complete = ANSWER_NO;
		config.reason = "the configuration is cut off: its last line has no end";
	}
	*out = config;
}

/* "# U-Boot 2023.01 Configuration" and "# Busybox version: 1.36.1": who else writes such files. */
static bool is_other_title(struct span line)
{
	static const char linux[] = "# Linux", end[] = " Configuration", busybox[] = "# Busybox version:";
	if (span_has(line, 0, busybox, sizeof(busybox) - 1))
		return true;
	return span_has(line, 0, "# ", 2) && !span_has(line, 0, linux, sizeof(linux) - 1) &&
	       line.size > sizeof(end) && span_has(line, line.size - (sizeof(end) - 1), end, sizeof(end) - 1);
}

bool kernel_config_matches(struct span head, struct arena *arena, const char **other)
{
	struct kernel_config config = { 0 };
	struct setting setting;
	struct span rest = head, line;
	size_t settings = 0;
	bool generated = false;
	*other = NULL;
	while (span_next_line(&rest, &line)) {
		bool is_setting = split_line(line, &setting);
		settings += is_setting;
		bool cut = rest.size == 0 && !span_has(head, head.size - 1, "\n", 1);
		if (!is_setting && span_trim(line).size > 0 && !span_has(line, 0, "#", 1) && !cut)
			return false;
		if (settings > 0)
			continue;
		read_header(line, arena, &config);
		generated = generated || span_has(line, 0, GENERATED, sizeof(GENERATED) - 1);
		if (generated && !*other && is_other_title(line))
			*other = arena_string(arena, span_from(line, 2));
	}
	return settings > 0 || config.complete == ANSWER_YES;
}

bool kernel_has_own_initramfs(const struct kernel *kernel)
{
	const struct config_symbol *source = kernel_config_get(&kernel->config, "INITRAMFS_SOURCE");
	return source && source->value[0] != '\0' && !str_equal(source->value, "n");
}

const struct config_symbol *kernel_config_get(const struct kernel_config *config, const char *symbol)
{
	for (size_t i = 0; i < config->symbols.count; i++)
		if (str_equal(config->symbols.items[i].symbol, symbol))
			return &config->symbols.items[i];
	return NULL;
}
