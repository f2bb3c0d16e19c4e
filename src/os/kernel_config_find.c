// Where a kernel's configuration lies: beside the kernel, with its modules, or inside the kernel itself.
#include <string.h>

#include "boot/kernel_image.h"
#include "codec/codec.h"
#include "os/kernel.h"

/* A distribution's configuration has 0.3 MiB, its configs.ko 0.1 MiB. */
#define CONFIG_SIZE_MAX ((size_t)8 << 20)
#define MODULE_SIZE_MAX ((size_t)4 << 20)

struct search {
	const struct tree *tree;
	const char *version;        /* NULL: not known, or no name that a path may hold */
	const struct reader *image; /* NULL: there is none */
	struct place image_place;
	const struct names *wanted;
	struct budget *budget;
	struct arena *arena;
	struct kernel_config *out; /* the best so far */
	struct text tried;         /* what was there, and why it is not it */
};

static void note(struct search *search, const char *where, const char *why)
{
	/* A kernel alone is all there is. */
	text_printf(&search->tried, "%s%s%s%s", search->tried.size ? "; " : "", search->tree ? where : "",
	            search->tree ? ": " : "", why);
}

/* Takes a text, when it is better than what there is; true once nothing better can be found. */
static bool take(struct search *search, struct span text, const char *source, const struct place *place)
{
	struct kernel_config config;
	/* Every configuration, and every fragment of one, has such a line. */
	if (span_find(text, 0, "CONFIG_", strlen("CONFIG_")) == SIZE_MAX) {
		note(search, source, "holds no line of a configuration");
		return false;
	}
	kernel_config_parse(text, search->wanted, search->arena, &config);
	config.source = source;
	config.place = *place;
	if (config.complete == ANSWER_YES || !search->out->source)
		*search->out = config;
	return config.complete == ANSWER_YES;
}

static bool try_file(struct search *search, const char *path)
{
	struct error error = { 0 };
	struct span text;
	struct place place = { 0 };
	if (tree_load(search->tree, path, CONFIG_SIZE_MAX, search->arena, &text, &place, &error))
		return take(search, text, path, &place);
	if (error.code != ERROR_NOT_FOUND)
		note(search, path, error.message);
	return false;
}

static bool try_files(struct search *search)
{
	struct arena *arena = search->arena;
	const char *version = search->version;
	return search->tree && version &&
	       (try_file(search, arena_printf(arena, "/boot/config-%s", version)) ||
	        try_file(search, arena_printf(arena, "/usr/lib/modules/%s/config", version)) ||
	        try_file(search, arena_printf(arena, "/lib/modules/%s/config", version)));
}

static bool try_image(struct search *search)
{
	struct error error = { 0 };
	struct kernel_image image;
	struct span text;
	if (!search->image)
		return false;
	if (!kernel_image_read(search->image, search->budget, search->arena, &image, &error) ||
	    !kernel_image_config(search->image, &image, search->budget, search->arena, &text, &error)) {
		note(search, search->image_place.path, error.message);
		return false;
	}
	return take(search, text, arena_printf(search->arena, "IKCONFIG in %s", search->image_place.path),
	            &search->image_place);
}

/* CONFIG_IKCONFIG=m: the same markers, in a module. */
static bool try_module(struct search *search, const char *path, bool compressed)
{
	struct error error = { 0 };
	struct span file, text;
	struct place place = { 0 };
	if (!tree_load(search->tree, path, MODULE_SIZE_MAX, search->arena, &file, &place, &error))
		return false;
	struct span content = file;
	struct reader reader = reader_of_span(&file);
	bool sound = !compressed ||
	             codec_load(&reader, 0, MODULE_SIZE_MAX, search->budget, search->arena, &content, &error);
	reader = reader_of_span(&content);
	struct kernel_image module = { .format = "module",
		                       .compression = "none",
		                       .payload_size = content.size };
	if (!sound || !kernel_image_config(&reader, &module, search->budget, search->arena, &text, &error)) {
		note(search, path, error.message);
		return false;
	}
	return take(search, text, arena_printf(search->arena, "IKCONFIG in %s", path), &place);
}

static bool try_modules(struct search *search)
{
	static const char *const suffixes[] = { "", ".xz", ".zst", ".gz" };
	for (size_t i = 0; search->tree && search->version && i < ARRAY_SIZE(suffixes); i++) {
		const char *path = arena_printf(search->arena, "/lib/modules/%s/kernel/kernel/configs.ko%s",
		                                search->version, suffixes[i]);
		if (try_module(search, path, i > 0))
			return true;
	}
	return false;
}

void kernel_config_find(const struct tree *tree, const char *version, const struct reader *image,
                        const struct place *image_place, const struct names *wanted, struct budget *budget,
                        struct arena *arena, struct kernel_config *out)
{
	struct search search = {
		.tree = tree,
		/* A version with a slash would be a path of its own. */
		.version = version && !strchr(version, '/') ? version : NULL,
		.image = image,
		.image_place = { .partition = image_place->partition,
		                 .path = image_place->path ? image_place->path : "the kernel" },
		.wanted = wanted,
		.budget = budget,
		.arena = arena,
		.out = out,
	};
	*out = (struct kernel_config){ 0 };
	bool found = try_files(&search) || try_image(&search) || try_modules(&search);
	if (!found && !out->source && !tree)
		out->reason = arena_printf(arena, "%s: give its .config instead", text_get(&search.tried));
	else if (!found && !out->source)
		out->reason = arena_printf(
			arena, "there is neither /boot/config-%s nor a config among its modules%s%s",
			version ? version : "VERSION", search.tried.size ? "; " : "",
			text_get(&search.tried));
	text_free(&search.tried);
}

/* Compressed with gzip; there with CONFIG_IKCONFIG_PROC, once configs.ko is loaded where that is a module. */
static bool try_proc(struct search *search)
{
	static const char path[] = "/proc/config.gz";
	struct error error = { 0 };
	struct span file, text;
	struct place place = { 0 };
	if (!tree_load(search->tree, path, CONFIG_SIZE_MAX, search->arena, &file, &place, &error)) {
		if (error.code != ERROR_NOT_FOUND)
			note(search, path, error.message);
		return false;
	}
	struct reader reader = reader_of_span(&file);
	if (!codec_load(&reader, 0, CONFIG_SIZE_MAX, search->budget, search->arena, &text, &error)) {
		note(search, path, error.message);
		return false;
	}
	return take(search, text, path, &place);
}

void kernel_config_running(const struct tree *tree, const char *version, const struct names *wanted,
                           struct budget *budget, struct arena *arena, struct kernel_config *out)
{
	struct search search = {
		.tree = tree,
		.version = !strchr(version, '/') ? version : NULL,
		.wanted = wanted,
		.budget = budget,
		.arena = arena,
		.out = out,
	};
	*out = (struct kernel_config){ 0 };
	if (!try_proc(&search) && !try_files(&search) && !try_modules(&search) && !out->source)
		out->reason =
			arena_printf(arena,
		                     "there is neither /proc/config.gz nor /boot/config-%s nor a config "
		                     "among its modules%s%s",
		                     version, search.tried.size ? "; " : "", text_get(&search.tried));
	text_free(&search.tried);
}
