// Puts the prediction together. The order of writers at boot: the kernel's defaults, "sysctl.KEY=VALUE" on
// its command line, then the files, by whoever applies them.
//
// Not modelled: systemd-sysctl inside an initramfs (the real root's run comes later and has the last word
// unless it is silent), and what network managers, tuned or container engines write once they start.
#include <stdlib.h>
#include <string.h>

#include "os/sysctl_private.h"

/* Characters of a command line that separate its words. */
#define BLANKS " \t\n"

/* Calls `each` for every word of the command line up to "--", quotes taken out. */
typedef void word_fn(void *context, const char *word);

static void each_word(const char *command_line, struct arena *arena, word_fn *each, void *context)
{
	const char *at = command_line ? command_line : "";
	while (*(at += strspn(at, BLANKS))) {
		size_t length = 0, used = 0;
		for (bool quoted = false; at[length] && (quoted || !strchr(BLANKS, at[length])); length++)
			quoted ^= at[length] == '"';
		char *word = arena_alloc(arena, length + 1);
		for (size_t i = 0; i < length; i++)
			if (at[i] != '"')
				word[used++] = at[i];
		if (strcmp(word, "--") == 0)
			return;
		each(context, word);
		at += length;
	}
}

/* The kernel turns every dot into a slash, whatever comes first. */
static void command_line_word(void *context, const char *word)
{
	struct sysctl_kernel *kernel = context;
	const char *value = strchr(word, '=');
	if (!str_starts(word, "sysctl") || (word[6] != '.' && word[6] != '/') || !value || !value[1])
		return;
	char *path = arena_string(kernel->arena, span_of(word + 7, (size_t)(value - (word + 7))));
	for (char *at = path; (at = strchr(at, '.'));)
		*at = '/';
	/* The interface is not there yet. */
	struct sysctl_cell *cell = sysctl_kernel_cell(kernel, path);
	if (!cell || strstr(path, "/" SYSCTL_INTERFACE "/"))
		return;
	struct place place = kernel->system->command_line_place;
	place.text = word;
	sysctl_kernel_write(kernel, cell, value + 1, SYSCTL_COMMAND_LINE, &place);
}

static void apply_command_line(struct sysctl_kernel *kernel)
{
	const struct sysctl_system *system = kernel->system;
	/* Since 5.8. */
	if (system->kernel->version && version_compare(system->kernel->version, "5.8") < 0)
		return;
	each_word(system->command_line, kernel->arena, command_line_word, kernel);
}

/* A script on its way into the kernel. */
struct run {
	struct sysctl_kernel *kernel;
	const struct sysctl_script *script;
	const char *prefix; /* write only below this path; "": everywhere */
	bool *named;        /* for each cell: does a line name it? Then patterns pass it over. */
	struct budget *budget;
};

static void write_line(const struct run *run, struct sysctl_cell *cell, const struct sysctl_line *line)
{
	if (str_starts(cell->path, run->prefix))
		sysctl_kernel_write(run->kernel, cell, line->value, SYSCTL_FILE, &line->place);
}

static bool write_glob(const struct run *run, const struct sysctl_line *line, struct error *error)
{
	uint64_t cost = 1 + strlen(line->path) / 64;
	for (size_t i = 0; i < run->kernel->count; i++) {
		struct sysctl_cell *cell = &run->kernel->cells[i];
		if (!budget_step(run->budget, cost, "sysctl patterns", error))
			return false;
		if (run->named[i] && !(run->script->slashes_matter && line->odd_slashes))
			continue;
		if (str_glob(line->path, cell->path, true))
			write_line(run, cell, line);
	}
	return true;
}

static bool run_script(struct run *run, struct error *error)
{
	const struct sysctl_script *script = run->script;
	struct sysctl_kernel *kernel = run->kernel;
	run->named = arena_alloc_array(kernel->arena, kernel->count, sizeof(bool));
	for (size_t i = 0; i < script->lines.count; i++) {
		const struct sysctl_line *line = &script->lines.items[i];
		const struct sysctl_cell *cell = sysctl_kernel_cell(kernel, line->path);
		if (cell && !(script->slashes_matter && line->odd_slashes))
			run->named[cell - kernel->cells] = true;
	}
	for (size_t i = 0; i < script->lines.count; i++) {
		const struct sysctl_line *line = &script->lines.items[i];
		struct sysctl_cell *cell = sysctl_kernel_cell(kernel, line->path);
		if (!line->value)
			continue;
		if (script->globs && sysctl_is_glob(line->path)) {
			if (!write_glob(run, line, error))
				return false;
		} else if (cell) {
			write_line(run, cell, line);
		}
	}
	return true;
}

/* Has a directory of libraries one of this name? */
static bool has_library(const struct tree *tree, const char *directory, const char *prefix,
                        struct arena *arena)
{
	struct names names = { 0 };
	struct error error = { 0 };
	if (!tree_names(tree, directory, arena, &names, &error))
		return false;
	for (size_t i = 0; i < names.count; i++)
		if (str_starts(names.items[i], prefix))
			return true;
	return false;
}

/* procps 3 brings libprocps, procps 4 libproc2. With neither in sight the present version is assumed. */
static bool procps_knows_globs(const struct tree *tree, struct arena *arena)
{
	static const char *const directories[] = {
		"/usr/lib/x86_64-linux-gnu",
		"/usr/lib/aarch64-linux-gnu",
		"/usr/lib/i386-linux-gnu",
		"/usr/lib64",
		"/usr/lib",
		"/lib/x86_64-linux-gnu",
		"/lib/aarch64-linux-gnu",
		"/lib/i386-linux-gnu",
		"/lib64",
		"/lib",
	};
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (has_library(tree, directories[i], "libprocps.so.", arena))
			return has_library(tree, directories[i], "libproc2.so.", arena);
	return true;
}

static bool make_script(const struct sysctl_system *system, struct budget *budget, struct arena *arena,
                        struct sysctl_script *out, struct error *error)
{
	static const char *const busybox_directories[] = { "/etc/sysctl.d", NULL };
	struct sysctl_files *files = arena_alloc(arena, sizeof(*files));
	bool busybox = system->applier == SYSCTL_APPLIER_BUSYBOX;
	if (!sysctl_files_load(system->tree, busybox ? busybox_directories : sysctl_directories, budget,
	                       arena, files, error))
		return false;
	switch (system->applier) {
	case SYSCTL_APPLIER_BUSYBOX:
		return sysctl_script_busybox(files, budget, arena, out, error);
	case SYSCTL_APPLIER_PROCPS:
		return sysctl_script_procps(files, procps_knows_globs(system->tree, arena), budget, arena,
		                            out, error);
	default:
		return sysctl_script_systemd(files, budget, arena, out, error);
	}
}

static void mask_word(void *context, const char *word)
{
	bool *masked = context;
	*masked |= strcmp(word, "systemd.mask=systemd-sysctl.service") == 0 ||
	           strcmp(word, "systemd.mask=systemd-sysctl") == 0;
}

/* Is this unit file a link to /dev/null, or empty, as `systemctl mask` leaves it? False where it cannot be
 * told. */
static bool read_mask(const struct tree *tree, const char *path, bool *masked, struct error *error)
{
	struct tree_file file;
	char target[TREE_PATH_MAX];
	*masked = false;
	if (!tree_lookup_link(tree, path, &file, error))
		return error->code == ERROR_NOT_FOUND;
	if (file.node.type == NODE_SYMLINK) {
		if (!file.node.fs->driver->read_link(&file.node, target, sizeof(target), error))
			return false;
		*masked = strcmp(target, "/dev/null") == 0;
		if (*masked)
			return true;
		if (!tree_lookup(tree, path, &file, error))
			return error->code == ERROR_NOT_FOUND;
	}
	*masked = file.node.type == NODE_FILE && file.node.size == 0;
	return true;
}

/* Is systemd-sysctl kept from running? Fills where. False where it cannot be told. */
static bool find_mask(const struct sysctl_system *system, struct arena *arena, bool *masked,
                      struct place *place, struct error *error)
{
	static const char path[] = "/etc/systemd/system/systemd-sysctl.service";
	*masked = false;
	*place = system->command_line_place;
	each_word(system->command_line, arena, mask_word, masked);
	if (*masked)
		return true;
	*place = (struct place){ .path = path };
	return read_mask(system->tree, path, masked, error);
}

static void add_name(struct names *names, size_t *capacity, const char *name, struct arena *arena)
{
	names->items = list_reserve(arena, names->items, names->count, capacity, sizeof(*names->items));
	names->items[names->count++] = name;
}

/* All paths that take part: those asked for, those that change them, and for `everything` those of the files.
 */
static struct names collect_paths(const struct names *keys, const struct sysctl_script *script,
                                  bool everything, struct arena *arena)
{
	struct names related, paths = { 0 };
	size_t capacity = 0;
	bool odd;
	sysctl_kernel_paths(arena, &related);
	for (size_t i = 0; i < related.count; i++)
		add_name(&paths, &capacity, related.items[i], arena);
	for (size_t i = 0; i < keys->count; i++)
		add_name(&paths, &capacity, sysctl_path(span_text(keys->items[i]), arena, &odd), arena);
	for (size_t i = 0; everything && i < script->lines.count; i++)
		if (script->lines.items[i].value && !sysctl_is_glob(script->lines.items[i].path))
			add_name(&paths, &capacity, script->lines.items[i].path, arena);
	return paths;
}

/* The answer for one key as the modelled kernel has it. */
static void report(const struct sysctl_kernel *model, const char *key, const char *path, struct arena *arena,
                   struct kernel *kernel)
{
	const struct sysctl_cell *cell = sysctl_kernel_cell(model, path);
	struct sysctl *out = LIST_ADD(arena, &kernel->sysctls);
	*out = (struct sysctl){ .key = arena_strdup(arena, key), .reason = "not examined" };
	if (!cell)
		return;
	out->value = cell->value;
	out->source = cell->source;
	out->place = cell->place;
	out->reason = cell->reason ? cell->reason : "";
	out->remedy = cell->remedy;
	sysctl_effective(model, path, arena, out);
}

/* Nothing is known of keys that files or patterns may set, when the files could not be followed. */
static void distrust(struct sysctl_kernel *model, bool all, const char *reason)
{
	for (size_t i = 0; i < model->count; i++) {
		struct sysctl_cell *cell = &model->cells[i];
		if (cell->source == SYSCTL_ABSENT || (!all && cell->source != SYSCTL_FILE))
			continue;
		cell->value = NULL;
		cell->source = SYSCTL_UNKNOWN;
		cell->reason = reason;
	}
}

static void tell_masked(struct sysctl_kernel *model, const struct place *mask, struct arena *arena)
{
	bool unit = mask->path && str_starts(mask->path, "/etc/systemd/");
	const char *remark = arena_printf(arena, "systemd-sysctl.service is masked by %s: no file is applied",
	                                  mask->path ? mask->path : "the command line");
	const char *remedy = unit ? arena_printf(arena, "rm -f %s", mask->path)
	                          : "take systemd.mask=systemd-sysctl.service off the kernel's command line";
	for (size_t i = 0; i < model->count; i++) {
		sysctl_cell_remark(arena, &model->cells[i], remark);
		model->cells[i].remedy = remedy;
	}
}

/* Where people are told to write "/etc/sysctl.conf" and nothing reads it, each key says so. */
static void tell_unread(const struct sysctl_file *file, struct budget *budget, struct arena *arena,
                        struct sysctl_kernel *model)
{
	struct sysctl_files alone = { 0 };
	struct sysctl_script script;
	struct error error = { 0 };
	*LIST_ADD(arena, &alone.items) = *file;
	if (!sysctl_script_systemd(&alone, budget, arena, &script, &error))
		return;
	for (size_t i = 0; i < script.lines.count; i++) {
		const struct sysctl_line *line = &script.lines.items[i];
		struct sysctl_cell *cell = sysctl_kernel_cell(model, line->path);
		if (!cell || !line->value || str_equal(line->value, cell->value))
			continue;
		sysctl_cell_remark(arena, cell,
		                   arena_printf(arena,
		                                "%s:%llu sets \"%.40s\", but systemd-sysctl does not read "
		                                "that file here: no link in /etc/sysctl.d leads to it",
		                                line->place.path, (unsigned long long)line->place.line,
		                                line->value));
	}
}

/* OpenRC's script for busybox ends at once where /etc/sysctl.conf is missing. */
static void tell_idle(const struct tree *tree, struct sysctl_kernel *model)
{
	for (size_t i = 0; i < model->count && !tree_exists(tree, "/etc/sysctl.conf"); i++)
		model->cells[i].remedy = "touch /etc/sysctl.conf";
}

/* Runs the boot: the model holds the values as they stand afterwards. */
static void boot(const struct sysctl_system *system, const struct sysctl_script *script,
                 struct budget *budget, struct arena *arena, struct sysctl_kernel *model)
{
	struct error error = { 0 };
	struct place mask;
	struct run run = { .kernel = model, .script = script, .prefix = "", .budget = budget };
	apply_command_line(model);
	bool masked = false;
	bool sound =
		system->applier != SYSCTL_APPLIER_SYSTEMD || find_mask(system, arena, &masked, &mask, &error);
	sound = sound && (masked || run_script(&run, &error));
	/* udev runs it again for each interface that appears (99-systemd.rules), masked or not. */
	run.prefix = "net/ipv4/conf/" SYSCTL_INTERFACE "/";
	if (sound && system->applier == SYSCTL_APPLIER_SYSTEMD)
		sound = run_script(&run, &error);
	if (!sound) {
		distrust(model, true, arena_strdup(arena, error.message));
		return;
	}
	if (system->applier == SYSCTL_APPLIER_UNKNOWN)
		distrust(model, false,
		         "files set it, but it is not known who would apply them in this image");
	if (masked)
		tell_masked(model, &mask, arena);
	else if (system->applier == SYSCTL_APPLIER_SYSTEMD && script->unread)
		tell_unread(script->unread, budget, arena, model);
	else if (system->applier == SYSCTL_APPLIER_BUSYBOX && script->lines.count == 0)
		tell_idle(system->tree, model);
}

static void predict(const struct sysctl_system *system, const struct names *keys, bool everything,
                    struct budget *budget, struct arena *arena, struct kernel *kernel)
{
	struct sysctl_script script = { 0 };
	struct sysctl_kernel model;
	struct error error = { 0 };
	bool sound = make_script(system, budget, arena, &script, &error);
	struct names paths = collect_paths(keys, &script, everything, arena);
	sysctl_kernel_start(system, &paths, arena, &model);
	if (sound)
		boot(system, &script, budget, arena, &model);
	else
		distrust(&model, true, arena_printf(arena, "the files could not be read: %s", error.message));

	bool odd;
	for (size_t i = 0; i < keys->count; i++)
		report(&model, keys->items[i], sysctl_path(span_text(keys->items[i]), arena, &odd), arena,
		       kernel);
	size_t wanted = kernel->sysctls.count;
	for (size_t i = 0; everything && i < model.count; i++) {
		const struct sysctl_cell *cell = &model.cells[i];
		const char *key = sysctl_key(cell->path, arena);
		bool listed = *cell->path == 0;
		for (size_t j = 0; j < wanted && !listed; j++)
			listed = str_equal(kernel->sysctls.items[j].key, key);
		if (!listed)
			report(&model, key, cell->path, arena, kernel);
	}
}

void sysctl_predict(const struct sysctl_system *system, const struct names *keys, struct budget *budget,
                    struct arena *arena, struct kernel *kernel)
{
	predict(system, keys, false, budget, arena, kernel);
}

void sysctl_predict_all(const struct sysctl_system *system, const struct names *keys, struct budget *budget,
                        struct arena *arena, struct kernel *kernel)
{
	predict(system, keys, true, budget, arena, kernel);
}
