// `blscfg`, the command of Fedora's GRUB: menu entries from the files of /loader/entries. Each file becomes a
// menuentry of the commands that GRUB makes of it:
//
//   linux ($root)LINUX OPTIONS       OPTIONS with its $variables replaced here, when the menu is made
//   initrd ($root)INITRD ...         one for each `initrd` line
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "boot/bls.h"
#include "boot/grub_machine.h"

struct bls_file {
	const char *id; /* the file's name without ".conf" */
	struct grub_source *source;
	struct bls_keys keys;
};

struct bls_files {
	LIST(struct bls_file) list; /* as the menu shows them: the newest first */
};

static const struct grub_value *variable(struct grub_machine *machine, const char *name)
{
	return grub_environment_get(&machine->environment, name);
}

/* The device to look on, as "(hd0,gpt2)": $root, or where a BIOS starts GRUB, $boot when that is set. */
static const char *find_device(struct grub_machine *machine, const char **unknown)
{
	const struct grub_value *device = NULL;
	if (str_equal(machine->start->platform, "pc"))
		device = variable(machine, "boot");
	if (!device)
		device = variable(machine, "root");
	*unknown = device ? device->unknown : "neither root nor boot is set";
	return device ? arena_printf(machine->arena, "(%s)", device->text) : "";
}

/* The folder of the entries: $blsdir, else /loader/entries, else /boot/loader/entries. */
static enum answer find_folder(struct grub_machine *machine, struct grub_path *folder, struct names *names,
                               const char **unknown)
{
	const struct grub_value *chosen = variable(machine, "blsdir");
	const char *const paths[] = { chosen ? chosen->text : "/loader/entries", "/boot/loader/entries" };
	const char *device = find_device(machine, unknown);
	if (!*unknown && chosen)
		*unknown = chosen->unknown;
	for (size_t i = 0; i < ARRAY_SIZE(paths) && !*unknown; i++) {
		size_t length = strlen(paths[i]);
		while (length > 1 && paths[i][length - 1] == '/')
			length--;
		*folder = grub_resolve(machine,
		                       arena_printf(machine->arena, "%s%.*s", device, (int)length, paths[i]));
		if (folder->known == ANSWER_UNKNOWN)
			*unknown = folder->unknown;
		if (folder->known != ANSWER_YES)
			return folder->known;
		enum answer listed = machine->disk->list(machine->disk->context, folder->partition,
		                                         folder->path, machine->arena, names);
		if (listed == ANSWER_UNKNOWN)
			*unknown =
				grub_reason(machine, "cannot read %s, where `blscfg` takes its entries from",
			                    folder->path);
		if (listed != ANSWER_NO)
			return listed;
	}
	return *unknown ? ANSWER_UNKNOWN : ANSWER_NO;
}

/* Puts a file behind those that are newer; of two with equal ids GRUB keeps the first. */
static void insert(struct grub_machine *machine, struct bls_files *files, const struct bls_file *file)
{
	size_t at = 0;
	int order = -1;
	while (at < files->list.count && (order = bls_compare_ids(file->id, files->list.items[at].id)) < 0)
		at++;
	if (at < files->list.count && order == 0)
		return;
	(void)LIST_ADD(machine->arena, &files->list);
	memmove(&files->list.items[at + 1], &files->list.items[at],
	        (files->list.count - 1 - at) * sizeof(*file));
	files->list.items[at] = *file;
}

static bool read_file(struct grub_machine *machine, const struct grub_path *folder, const char *name,
                      struct bls_file *out)
{
	struct error error = { 0 };
	struct grub_source *source = arena_alloc(machine->arena, sizeof(*source));
	source->path = arena_printf(machine->arena, "%s/%s", folder->path, name);
	source->partition = folder->partition;
	source->cursor = arena_alloc(machine->arena, sizeof(*source->cursor));
	out->source = source;
	out->id = arena_string(machine->arena, span_of(name, strlen(name) - strlen(".conf")));
	if (!machine->disk->load(machine->disk->context, folder->partition, source->path, BLS_FILE_MAX,
	                         machine->arena, &source->text, &error)) {
		grub_add_opaque(machine, arena_printf(machine->arena, "%s: %s", source->path, error.message));
		return false;
	}
	bls_parse(source->text, BLS_GRUB, machine->arena, &out->keys);
	return true;
}

static void read_files(struct grub_machine *machine, const struct grub_path *folder,
                       const struct names *names, struct bls_files *files)
{
	for (size_t i = 0; i < names->count && grub_spend(machine, 1 + files->list.count); i++) {
		struct bls_file file;
		if (!bls_is_entry_name(names->items[i]))
			continue;
		if (files->list.count >= BLS_ENTRIES_MAX) {
			grub_add_opaque(machine, grub_reason(machine, "more than %d files in %s",
			                                     BLS_ENTRIES_MAX, folder->path));
			return;
		}
		if (read_file(machine, folder, names->items[i], &file))
			insert(machine, files, &file);
	}
}

/* Adds a variable's value and a blank; one that is not known is left to the script, which says so. */
static bool add_variable(struct grub_machine *machine, struct span name, struct text *result)
{
	const char *text = arena_string(machine->arena, name);
	const struct grub_value *found = *text ? variable(machine, text) : NULL;
	if (!found || !grub_spend(machine, 1 + strlen(found->text) / 64))
		return false;
	if (found->unknown)
		text_printf(result, "${%s} ", text);
	else
		text_printf(result, "%s ", found->text);
	return true;
}

/*
 * The value with its $names replaced, as GRUB does it: a name takes the blank behind it along, and a single
 * character that stands alone before a '$' or the end is lost, as in "$kernelopts 3". NULL when nothing but
 * names without a value was there.
 */
static const char *replace_variables(struct grub_machine *machine, const char *value)
{
	struct text result CLEANUP(text_free) = { 0 };
	bool any = false;
	while (value && *value && machine->flow != GRUB_FLOW_FAIL) {
		size_t plain = strcspn(value, "$");
		if (plain > 1)
			text_add_span(&result, span_of(value, plain));
		any |= plain > 1;
		value += plain;
		if (*value != '$')
			break;
		size_t length = 0;
		while (isalnum((unsigned char)value[1 + length]) || value[1 + length] == '_')
			length++;
		struct span name = span_of(value + 1, length);
		value += 1 + length;
		bool at_end = !*value || *value == '$';
		if (!at_end || length > 1)
			any |= add_variable(machine, name, &result);
		if (*value == '$' && length > 1 && !any)
			return NULL;
		value += *value == ' ';
	}
	return any ? arena_strdup(machine->arena, text_get(&result)) : NULL;
}

/* Statements of an entry, behind one another; all count as the line of the file that they come from. */
struct body {
	const struct grub_node *first;
	struct grub_node *last;
	bool sound;
};

static void add_statements(struct grub_machine *machine, struct body *body, const char *text, uint64_t line)
{
	struct error error = { 0 };
	const struct grub_node *node = NULL;
	struct grub_parser parser = grub_parser_of(span_text(text), machine->budget, machine->arena);
	while (body->sound && (body->sound = grub_parser_next(&parser, &node, &error)) && node) {
		struct grub_node *copy = arena_alloc(machine->arena, sizeof(*copy));
		*copy = *node;
		copy->line = line;
		copy->next = NULL;
		if (body->last)
			body->last->next = copy;
		else
			body->first = copy;
		body->last = copy;
	}
	if (error.code == ERROR_LIMIT) {
		*machine->error = error;
		machine->flow = GRUB_FLOW_FAIL;
	}
}

static void add_linux(struct grub_machine *machine, const struct bls_file *file, const struct bls_key *kernel,
                      struct body *body)
{
	const struct bls_key *options = bls_get(&file->keys, "options", 0);
	const struct grub_value *fallback = variable(machine, "default_kernelopts");
	const char *words = options ? replace_variables(machine, options->value) : NULL;
	if (!words && fallback)
		words = fallback->unknown ? "${default_kernelopts}"
		                          : replace_variables(machine, fallback->text);
	add_statements(
		machine, body,
		arena_printf(machine->arena, "linux ($root)%s %s\n", kernel->value, words ? words : ""),
		options ? options->line : kernel->line);
}

/* $early_initrd names files beside the first initrd, or else beside the kernel; they come first. */
static void add_early(struct grub_machine *machine, const char *beside, struct text *words)
{
	const struct grub_value *early = variable(machine, "early_initrd");
	const char *slash = strrchr(beside, '/');
	size_t folder = slash ? (size_t)(slash - beside) + 1 : 0;
	if (!early)
		return;
	if (early->unknown) {
		text_add(words, " ${early_initrd}");
		return;
	}
	for (const char *at = early->text; *at; at += strspn(at, " ")) {
		size_t length = strcspn(at, " ");
		text_printf(words, " ($root)%.*s%.*s", (int)folder, beside, (int)length, at);
		at += length;
	}
}

static void add_initrds(struct grub_machine *machine, const struct bls_file *file,
                        const struct bls_key *kernel, struct body *body)
{
	struct text words CLEANUP(text_free) = { 0 };
	const struct bls_key *first = bls_get(&file->keys, "initrd", 0), *initrd;
	add_early(machine, first ? first->value : kernel->value, &words);
	for (size_t n = 0; (initrd = bls_get(&file->keys, "initrd", n)); n++)
		text_printf(&words, " ($root)%s", initrd->value);
	if (words.size > 0)
		add_statements(machine, body, arena_printf(machine->arena, "initrd%s\n", text_get(&words)),
		               first ? first->line : kernel->line);
}

static void add_parameters(struct grub_machine *machine, const struct bls_file *file,
                           struct grub_menu_entry *entry)
{
	const struct bls_key *key;
	*LIST_ADD(machine->arena, &entry->parameters.list) = (struct grub_argument){ .text = entry->title };
	for (size_t n = 0; (key = bls_get(&file->keys, "grub_arg", n)); n++)
		*LIST_ADD(machine->arena, &entry->parameters.list) =
			(struct grub_argument){ .text = key->value };
}

static void add_entry(struct grub_machine *machine, const struct bls_file *file, const char *maybe)
{
	const struct bls_key *kernel = bls_get(&file->keys, "linux", 0);
	const struct bls_key *title = bls_get(&file->keys, "title", 0);
	const struct bls_key *users = bls_get(&file->keys, "grub_users", 0);
	struct body body = { .sound = true };
	if (!kernel) {
		struct place place = { .partition = file->source->partition, .path = file->source->path };
		grub_problem(machine, "bls-no-kernel",
		             arena_printf(machine->arena, "%s has no `linux` line and is not shown",
		                          file->source->path),
		             place);
		return;
	}
	add_linux(machine, file, kernel, &body);
	add_initrds(machine, file, kernel, &body);
	struct grub_menu_entry *entry = machine->flow == GRUB_FLOW_ON ? grub_add_entry(machine) : NULL;
	if (!entry)
		return;
	*entry = (struct grub_menu_entry){
		.title = title ? title->value : kernel->value,
		.id = file->id,
		.restricted = users && replace_variables(machine, users->value),
		.maybe = maybe,
		.body = body.first,
		.source = file->source,
		.line = title ? title->line : kernel->line,
	};
	if (!body.sound && !entry->maybe)
		entry->maybe = arena_printf(machine->arena, "%s: its lines make no commands of GRUB",
		                            file->source->path);
	add_parameters(machine, file, entry);
}

/* Was it put into the menu by an earlier `blscfg`? */
static bool is_listed(const struct grub_machine *machine, const struct bls_file *file)
{
	for (size_t i = 0; i < machine->menu->entries.count; i++) {
		const struct grub_menu_entry *entry = &machine->menu->entries.items[i];
		if (entry->source && entry->source->partition == file->source->partition &&
		    str_equal(entry->source->path, file->source->path))
			return true;
	}
	return false;
}

/* As `blscfg default` asks: by id, by title, or by number. */
static bool is_default(const struct grub_value *wanted, const struct bls_file *file, size_t index)
{
	const struct bls_key *title = bls_get(&file->keys, "title", 0);
	const char *end;
	if (!wanted)
		return false;
	if (str_equal(wanted->text, file->id) || (title && str_equal(wanted->text, title->value)))
		return true;
	long number = grub_number(wanted->text, &end);
	return end != wanted->text && number >= 0 && (size_t)number == index;
}

/* Which entries a `blscfg` with this word lists: all, "default", "non-default", or the one of that id. */
static bool is_asked_for(struct grub_machine *machine, const char *word, const struct bls_file *file,
                         size_t index)
{
	const struct grub_value *wanted = variable(machine, "default");
	if (!word)
		return true;
	if (str_equal(word, "default") || str_equal(word, "non-default"))
		return is_default(wanted, file, index) == str_equal(word, "default");
	return str_equal(word, file->id);
}

static void lose_entries(struct grub_machine *machine, const char *reason)
{
	grub_add_opaque(machine, reason);
	if (machine->load)
		machine->load->unknown = reason;
	grub_finish_unknown(machine, reason);
}

void grub_do_blscfg(struct grub_machine *machine, const struct grub_arguments *arguments,
                    const struct grub_node *node)
{
	(void)node;
	const char *word = arguments->list.count > 1 ? arguments->list.items[1].text : NULL;
	const struct grub_value *wanted = variable(machine, "default");
	const char *unknown = word ? arguments->list.items[1].unknown : NULL, *maybe = machine->maybe;
	struct grub_path folder = { 0 };
	struct bls_files files = { 0 };
	struct names names = { 0 };
	bool on_esp;
	if (grub_blscfg_missing(machine, &on_esp))
		return;
	/* Older versions take a path in place of an id, GRUB's own options. */
	if (word && !unknown && (strpbrk(word, "/(") || word[0] == '-'))
		unknown = grub_reason(machine, "cannot follow `blscfg %s`", word);
	enum answer found = unknown ? ANSWER_UNKNOWN : find_folder(machine, &folder, &names, &unknown);
	if (found == ANSWER_UNKNOWN) {
		lose_entries(machine, unknown);
		return;
	}
	machine->blscfg = true;
	if (on_esp)
		grub_blscfg_note_esp(machine, &folder);
	read_files(machine, &folder, &names, &files);
	if (word && wanted && wanted->unknown && !maybe)
		maybe = wanted->unknown;
	for (size_t i = 0; i < files.list.count && machine->flow == GRUB_FLOW_ON; i++)
		if (!is_listed(machine, &files.list.items[i]) &&
		    (maybe || is_asked_for(machine, word, &files.list.items[i], i)))
			add_entry(machine, &files.list.items[i], maybe);
	if (found == ANSWER_NO || files.list.count == 0)
		grub_problem(machine, "bls-no-entries",
		             grub_reason(machine, "`blscfg` finds no entries in /loader/entries or "
		                                  "/boot/loader/entries"),
		             grub_place(machine, machine->source, machine->line));
	if (machine->flow == GRUB_FLOW_ON)
		grub_finish(machine, true);
}
