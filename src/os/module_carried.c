#include "os/module_carried.h"

#include <string.h>
#include <sys/stat.h>

#include "boot/initramfs.h"
#include "os/module_list.h"

/* What a crafted archive may make us remember. */
#define MODULES_TEXT_MAX  ((size_t)1 << 20)
#define VERSIONS_TEXT_MAX ((size_t)1 << 10)

static uint32_t *bucket_of(struct carried *carried, struct span name)
{
	return &carried->buckets[module_hash(name) % CARRIED_BUCKETS];
}

/* False when the budget is used up; NULL for a module that is not looked for. */
static bool find(struct carried *carried, struct span name, struct carried_module **out)
{
	struct error error;
	*out = NULL;
	for (uint32_t at = *bucket_of(carried, name); at; at = carried->modules.items[at - 1].next) {
		if (!budget_step(carried->budget, 1, "the modules of the initramfs", &error))
			return false;
		if (module_same_name(span_text(carried->modules.items[at - 1].name), name)) {
			*out = &carried->modules.items[at - 1];
			break;
		}
	}
	return true;
}

size_t carried_add(struct carried *carried, struct span name, struct arena *arena)
{
	struct carried_module *known;
	if (!find(carried, name, &known))
		return SIZE_MAX;
	if (known)
		return (size_t)(known - carried->modules.items);
	uint32_t *bucket = bucket_of(carried, name);
	*LIST_ADD(arena, &carried->modules) =
		(struct carried_module){ .name = module_plain_name(name, arena), .next = *bucket };
	*bucket = (uint32_t)carried->modules.count;
	return carried->modules.count - 1;
}

void carried_want(struct carried *carried, size_t index)
{
	struct carried_module *module = &carried->modules.items[index];
	carried->unseen += !module->wanted && !module->seen;
	module->wanted = true;
}

struct walk {
	struct carried *carried;
	const char *version;
	bool everything;
	struct initramfs initramfs;
	struct text modules;  /* all of this version, blank between */
	struct text versions; /* other ones */
};

/* Adds a word to a list with blanks between, once. */
static void add_word(struct text *words, struct span word, size_t most)
{
	const char *found = text_get(words);
	if (word.size == 0 || words->size + word.size >= most)
		return;
	while (*found) {
		size_t length = strcspn(found, " ");
		if (length == word.size && memcmp(found, word.data, length) == 0)
			return;
		found += length + (found[length] == ' ');
	}
	if (words->size)
		text_add_char(words, ' ');
	text_add_span(words, word);
}

/* "usr/lib/modules/VERSION/REST" or "lib/modules/VERSION/REST". */
static bool split_name(const char *name, struct span *version, struct span *rest)
{
	static const char folder[] = "lib/modules/";
	if (str_starts(name, "usr/"))
		name += strlen("usr/");
	if (!str_starts(name, folder))
		return false;
	name += strlen(folder);
	size_t length = strcspn(name, "/");
	if (length == 0 || name[length] == '\0')
		return false;
	*version = span_of(name, length);
	*rest = span_text(name + length + 1);
	return true;
}

static void see_module(struct walk *walk, struct span name)
{
	struct carried_module *module;
	/* Without a budget, the walk itself fails at the next entry. */
	if (find(walk->carried, name, &module) && module && !module->seen) {
		module->seen = true;
		walk->carried->unseen -= module->wanted;
	}
	if (!walk->everything || walk->modules.size + name.size >= MODULES_TEXT_MAX)
		return;
	if (walk->modules.size)
		text_add_char(&walk->modules, ' ');
	for (size_t i = 0; i < name.size; i++)
		text_add_char(&walk->modules, name.data[i] == '-' ? '_' : (char)name.data[i]);
}

/* What needs no unpacking costs little: it is walked in any case, up to the compression that follows. */
static bool in_plain_segment(const struct initramfs *initramfs)
{
	size_t count = initramfs->segments.count;
	return count == 0 || str_equal(initramfs->segments.items[count - 1].compression, "none");
}

/* "usr/sbin/lvm", "sbin/lvm.static": any file or link of that name in a folder of programs. */
static bool is_lvm(const struct cpio_entry *entry)
{
	const char *slash = strrchr(entry->name, '/');
	const char *name = slash ? slash + 1 : entry->name;
	return (str_equal(name, "lvm") || str_equal(name, "lvm.static")) && slash &&
	       (slash - entry->name >= 3 && memcmp(slash - 3, "bin", 3) == 0) && !S_ISDIR(entry->mode);
}

static bool see_entry(void *context, const struct cpio_entry *entry)
{
	struct walk *walk = context;
	struct span version, rest, name;
	/* A module of no bytes, or a link to one, is no module that can be loaded. */
	if (S_ISREG(entry->mode) && entry->size > 0 && split_name(entry->name, &version, &rest) &&
	    module_name_of(rest, &name)) {
		if (span_equal_text(version, walk->version))
			see_module(walk, name);
		else
			add_word(&walk->versions, version, VERSIONS_TEXT_MAX);
	}
	walk->carried->lvm_seen = walk->carried->lvm_seen || is_lvm(entry);
	return walk->everything || walk->carried->unseen > 0 ||
	       (walk->carried->lvm_wanted && !walk->carried->lvm_seen) || in_plain_segment(&walk->initramfs);
}

static const char *compressions(const struct initramfs *initramfs, struct arena *arena)
{
	struct text words = { 0 };
	for (size_t i = 0; i < initramfs->segments.count; i++)
		add_word(&words, span_text(initramfs->segments.items[i].compression), VERSIONS_TEXT_MAX);
	const char *result = words.size ? arena_strdup(arena, text_get(&words)) : NULL;
	text_free(&words);
	return result;
}

void carried_walk(struct carried *carried, const struct reader *initramfs, bool everything,
                  struct budget *budget, struct arena *arena, struct kernel *kernel)
{
	struct walk walk = { .carried = carried, .version = kernel->version, .everything = everything };
	struct error error = { 0 };
	bool sound = initramfs_walk(initramfs, budget, arena, see_entry, &walk, &walk.initramfs, &error);
	kernel->initramfs_read = sound ? ANSWER_YES : ANSWER_NO;
	kernel->initramfs_reason = sound ? NULL : arena_strdup(arena, error.message);
	kernel->initramfs_compression = compressions(&walk.initramfs, arena);
	kernel->initramfs_modules = arena_strdup(arena, text_get(&walk.modules));
	kernel->initramfs_other_versions = arena_strdup(arena, text_get(&walk.versions));
	carried->whole = sound && walk.initramfs.whole;
	if (carried->lvm_seen)
		kernel->initramfs_lvm = ANSWER_YES;
	else if (carried->whole)
		kernel->initramfs_lvm = ANSWER_NO;
	text_free(&walk.modules);
	text_free(&walk.versions);
}
