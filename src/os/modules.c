#include <string.h>

#include "boot/initramfs.h"
#include "os/kernel.h"
#include "os/module_carried.h"
#include "os/module_list.h"

/* A distribution's modules.dep has 0.7 MiB. */
#define LIST_SIZE_MAX ((size_t)16 << 20)
/* More than any module needs; what a crafted modules.dep asks for ends here. */
#define NEEDS_MAX 1000
/* What of a line is shown as evidence. */
#define LINE_SHOWN_MAX ((size_t)300)

/* One of the two lists, as the tree has it. */
struct list_file {
	enum answer there; /* UNKNOWN: it could not be read */
	struct place place;
	struct module_list list;
};

struct lookup {
	const struct tree *tree;
	struct budget *budget;
	struct arena *arena;
	const char *directory; /* "/usr/lib/modules/6.1.0"; NULL: there is none */
	struct list_file builtin, dep;
	struct carried carried;
};

/* A wanted module and what it needs, as indices of the modules that the initramfs must carry. */
struct closure {
	LIST(size_t) items; /* itself first */
	bool closed;        /* no dependency is missing from the list */
};

static void load_list(struct lookup *lookup, const char *name, struct list_file *out)
{
	struct error error = { 0 };
	struct span text;
	const char *path = arena_printf(lookup->arena, "%s/%s", lookup->directory, name);
	if (!tree_load(lookup->tree, path, LIST_SIZE_MAX, lookup->arena, &text, &out->place, &error))
		out->there = error.code == ERROR_NOT_FOUND ? ANSWER_NO : ANSWER_UNKNOWN;
	else if (module_list_parse(text, lookup->budget, lookup->arena, &out->list, &error))
		out->there = ANSWER_YES;
}

/* Where there is no tree: the lists in the initramfs, which depmod made for what is in there. */
static void load_carried_lists(struct lookup *lookup, const struct reader *initramfs,
                               const struct kernel *kernel)
{
	static const char *const parents[] = { "usr/lib/modules", "lib/modules" };
	static const char *const names[] = { "modules.builtin", "modules.dep" };
	struct list_file *lists[] = { &lookup->builtin, &lookup->dep };
	struct cpio_wanted wanted[4];
	struct error error = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		wanted[i] = (struct cpio_wanted){
			.name = arena_printf(lookup->arena, "%s/%s/%s", parents[i / 2], kernel->version,
			                     names[i % 2]),
			.most = LIST_SIZE_MAX,
		};
	if (!initramfs_load(initramfs, lookup->budget, lookup->arena, wanted, ARRAY_SIZE(wanted), &error))
		return; /* the walk that follows finds the same, and says it */
	for (size_t i = ARRAY_SIZE(wanted); i-- > 0;) {
		struct list_file *list = lists[i % 2];
		if (!wanted[i].content.data)
			continue;
		list->place = kernel->initramfs;
		if (module_list_parse(wanted[i].content, lookup->budget, lookup->arena, &list->list, &error))
			list->there = ANSWER_YES;
	}
}

/*
 * The modules' folder: the first that has a modules.dep, else the first that is there. *there is UNKNOWN
 * where none was found and one may be in what cannot be read.
 */
static const char *find_directory(const struct tree *tree, const char *version, struct arena *arena,
                                  enum answer *there)
{
	static const char *const parents[] = { "/usr/lib/modules", "/lib/modules" };
	struct error error = { 0 };
	struct tree_file file;
	const char *found = NULL;
	*there = ANSWER_NO;
	/* A version with a slash would be a path of its own. */
	for (size_t i = 0; version && !strchr(version, '/') && i < ARRAY_SIZE(parents); i++) {
		const char *path = arena_printf(arena, "%s/%s", parents[i], version);
		if (tree_exists(tree, arena_printf(arena, "%s/modules.dep", path)))
			return path;
		if (found)
			continue;
		if (tree_lookup(tree, path, &file, &error))
			found = path;
		else if (error.code != ERROR_NOT_FOUND)
			*there = ANSWER_UNKNOWN;
	}
	return found;
}

static struct place line_place(const struct list_file *file, const struct module_line *line,
                               struct arena *arena)
{
	struct place place = file->place;
	struct span shown = line->text;
	if (shown.size > LINE_SHOWN_MAX)
		shown.size = LINE_SHOWN_MAX;
	place.line = line->number;
	place.text = arena_string(arena, shown);
	return place;
}

/* Is the file there that modules.dep names? UNKNOWN when the tree cannot tell. */
static enum answer file_there(const struct lookup *lookup, const char *file)
{
	struct error error = { 0 };
	struct tree_file found;
	const char *path =
		file[0] == '/' ? file : arena_printf(lookup->arena, "%s/%s", lookup->directory, file);
	if (!tree_lookup(lookup->tree, path, &found, &error))
		return error.code == ERROR_NOT_FOUND ? ANSWER_NO : ANSWER_UNKNOWN;
	return found.node.type == NODE_FILE && found.node.size > 0 ? ANSWER_YES : ANSWER_NO;
}

/* Fills state, place and file; *line is the line of modules.dep of a module that is a file. */
static bool find_state(const struct lookup *lookup, struct kernel_module *module,
                       const struct module_line **line, struct error *error)
{
	struct span name = span_text(module->name);
	const struct module_line *builtin, *dep;
	*line = NULL;
	if (!module_list_find(&lookup->builtin.list, name, lookup->budget, &builtin, error) ||
	    !module_list_find(&lookup->dep.list, name, lookup->budget, &dep, error))
		return false;
	/* What is not carried may still be a module of the root file system. */
	bool both_read =
		lookup->tree && lookup->builtin.there == ANSWER_YES && lookup->dep.there == ANSWER_YES;
	if (builtin) {
		module->state = MODULE_BUILTIN;
		module->place = line_place(&lookup->builtin, builtin, lookup->arena);
	} else if (!dep) {
		module->state = both_read ? MODULE_ABSENT : MODULE_UNKNOWN;
	} else if (!lookup->tree) {
		*line = dep;
		module->place = line_place(&lookup->dep, dep, lookup->arena);
	} else {
		const char *file = arena_string(lookup->arena, dep->path);
		enum answer there = file_there(lookup, file);
		module->place = line_place(&lookup->dep, dep, lookup->arena);
		if (there == ANSWER_YES) {
			module->state = MODULE_FILE;
			module->file = file;
			*line = dep;
		} else if (there == ANSWER_NO && both_read) {
			module->state = MODULE_ABSENT;
		}
	}
	return true;
}

static bool has_index(const struct closure *closure, size_t index)
{
	for (size_t i = 0; i < closure->items.count; i++)
		if (closure->items.items[i] == index)
			return true;
	return false;
}

/* Adds what one line needs to the closure, but what is built in. */
static bool add_needs(struct lookup *lookup, const struct module_line *line, struct closure *closure,
                      struct error *error)
{
	struct span rest = line->needs, path, name;
	while (module_next_path(&rest, &path)) {
		const struct module_line *builtin;
		if (!budget_step(lookup->budget, 1 + closure->items.count / 16, "modules.dep", error) ||
		    !module_name_of(path, &name) ||
		    !module_list_find(&lookup->builtin.list, name, lookup->budget, &builtin, error))
			return false;
		if (builtin)
			continue;
		size_t index = carried_add(&lookup->carried, name, lookup->arena);
		if (index == SIZE_MAX)
			return false;
		if (has_index(closure, index))
			continue;
		if (closure->items.count >= NEEDS_MAX)
			return false;
		*LIST_ADD(lookup->arena, &closure->items) = index;
	}
	return true;
}

/* All that a module needs. modules.dep should have it closed already; that is not relied upon. */
static void close_over(struct lookup *lookup, const struct module_line *line, struct closure *closure)
{
	struct error error = { 0 };
	size_t own = carried_add(&lookup->carried, line->name, lookup->arena);
	if (own == SIZE_MAX)
		return;
	*LIST_ADD(lookup->arena, &closure->items) = own;
	for (size_t i = 0; i < closure->items.count; i++) {
		size_t index = closure->items.items[i];
		struct span name = span_text(lookup->carried.modules.items[index].name);
		const struct module_line *next;
		if (!module_list_find(&lookup->dep.list, name, lookup->budget, &next, &error))
			return;
		/* One that has no line of its own needs what nobody can tell. */
		if (!next || !add_needs(lookup, next, closure, &error))
			return;
	}
	closure->closed = true;
}

static const char *join_names(const struct lookup *lookup, const struct closure *closure, size_t from,
                              bool unseen_only)
{
	struct text words = { 0 };
	for (size_t i = from; i < closure->items.count; i++) {
		const struct carried_module *module = &lookup->carried.modules.items[closure->items.items[i]];
		if (!unseen_only || !module->seen)
			text_printf(&words, "%s%s", words.size ? " " : "", module->name);
	}
	const char *joined = arena_strdup(lookup->arena, text_get(&words));
	text_free(&words);
	return joined;
}

/* Carried with all it needs: yes. Something is proved to be missing: no. Else nobody knows. */
static void judge_carried(const struct lookup *lookup, const struct closure *closure,
                          struct kernel_module *module)
{
	const char *missing = join_names(lookup, closure, 0, true);
	if (missing[0] == '\0') {
		module->in_initramfs = closure->closed ? ANSWER_YES : ANSWER_UNKNOWN;
	} else if (lookup->carried.whole) {
		module->in_initramfs = ANSWER_NO;
		module->missing = missing;
	}
}

/* A module that is carried is one; one that is neither carried nor built in is somewhere else, or nowhere. */
static void judge_without_tree(const struct lookup *lookup, struct kernel_module *module)
{
	bool both_read = lookup->builtin.there == ANSWER_YES && lookup->dep.there == ANSWER_YES;
	if (module->state == MODULE_BUILTIN)
		return;
	if (module->in_initramfs == ANSWER_YES) {
		module->state = MODULE_FILE;
	} else if (both_read && lookup->carried.whole && module->in_initramfs == ANSWER_UNKNOWN) {
		module->in_initramfs = ANSWER_NO;
		module->missing = module->name;
	}
}

/* Has the initramfs to be unpacked until this module is seen? */
static bool is_early(const struct module_question *question, const char *wanted)
{
	for (size_t i = 0; i < question->early.count; i++)
		if (str_equal(question->early.items[i], wanted))
			return true;
	return false;
}

void kernel_modules_find(const struct tree *tree, const struct module_question *question,
                         const struct reader *initramfs, struct budget *budget, struct arena *arena,
                         struct kernel *kernel)
{
	const struct names *wanted = &question->wanted;
	struct lookup lookup = { .tree = tree, .budget = budget, .arena = arena, .carried.budget = budget };
	struct closure *closures = arena_alloc_array(arena, wanted->count, sizeof(*closures));
	enum answer there = ANSWER_NO;
	lookup.directory = tree ? find_directory(tree, kernel->version, arena, &there) : NULL;
	if (!tree) {
		if (initramfs && kernel->version)
			load_carried_lists(&lookup, initramfs, kernel);
	} else if (lookup.directory) {
		load_list(&lookup, "modules.builtin", &lookup.builtin);
		load_list(&lookup, "modules.dep", &lookup.dep);
	} else {
		lookup.dep.there = there;
	}
	kernel->modules_directory = lookup.directory;
	kernel->has_modules_dep = lookup.dep.there;
	kernel->initramfs_modules = kernel->initramfs_other_versions = "";

	for (size_t i = 0; i < wanted->count; i++) {
		struct kernel_module *module = LIST_ADD(arena, &kernel->modules);
		struct error error = { 0 };
		const struct module_line *line = NULL;
		*module = (struct kernel_module){ .needs = "", .missing = "" };
		module->name = module_plain_name(span_text(wanted->items[i]), arena);
		if (!find_state(&lookup, module, &line, &error) || !line)
			continue;
		close_over(&lookup, line, &closures[i]);
		if (is_early(question, wanted->items[i]))
			for (size_t j = 0; j < closures[i].items.count; j++)
				carried_want(&lookup.carried, closures[i].items.items[j]);
		module->needs = join_names(&lookup, &closures[i], 1, false);
	}
	lookup.carried.lvm_wanted = question->lvm;
	if (initramfs)
		carried_walk(&lookup.carried, initramfs, question->everything, budget, arena, kernel);
	else
		/* Only of an entry that boots the kernel without one is it known that nothing is carried. */
		lookup.carried.whole = kernel->entry && !kernel->initramfs.path;
	if (kernel_has_own_initramfs(kernel))
		lookup.carried.whole = false;
	for (size_t i = 0; i < wanted->count; i++) {
		struct kernel_module *module = &kernel->modules.items[i];
		if (closures[i].items.count > 0)
			judge_carried(&lookup, &closures[i], module);
		if (!tree)
			judge_without_tree(&lookup, module);
	}
}
