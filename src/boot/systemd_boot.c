// systemd-boot: which of its entries it starts, by their order and by loader.conf. systemd-boot(7),
// loader.conf(5).
//
// What EFI variables hold (LoaderEntryDefault, LoaderEntryLastBooted) does not count: a new machine has none.
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "boot/bls.h"
#include "boot/firmware.h"
#include "boot/systemd_boot.h"

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_tries(const struct systemd_entry *a, const struct systemd_entry *b)
{
	if (a->tries_left < 0 || b->tries_left < 0)
		return 0;
	if (a->tries_left != b->tries_left)
		return a->tries_left > b->tries_left ? -1 : 1;
	return (a->tries_done > b->tries_done) - (a->tries_done < b->tries_done);
}

/* Ids are compared in lower case. */
static const char *folded(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);
	for (char *at = copy; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return copy;
}

/*
 * Bad ones (no tries left) last; those with a sort-key first, by it, by machine and by version, the newest in
 * front; the rest by id, downwards.
 */
static int compare(struct arena *arena, const struct systemd_entry *a, const struct systemd_entry *b)
{
	int order = (a->tries_left == 0) - (b->tries_left == 0);
	if (!order)
		order = !a->sort_key - !b->sort_key;
	if (!order && a->sort_key) {
		order = compare_text(a->sort_key, b->sort_key);
		if (!order)
			order = compare_text(a->machine_id, b->machine_id);
		if (!order)
			order = -bls_compare_versions(a->version, b->version);
	}
	if (!order)
		order = -bls_compare_versions(folded(arena, a->file ? a->file : a->id),
		                              folded(arena, b->file ? b->file : b->id));
	if (!order && a->file && b->file)
		order = (a->profile > b->profile) - (a->profile < b->profile);
	return order ? order : compare_tries(a, b);
}

static void sort_entries(struct systemd_boot *loader)
{
	struct systemd_entry *items = loader->entries.items;
	for (size_t i = 1; i < loader->entries.count; i++) {
		const struct systemd_entry moved = items[i];
		size_t at = i;
		for (; at > 0 && compare(loader->disk->arena, &items[at - 1], &moved) > 0; at--)
			items[at] = items[at - 1];
		items[at] = moved;
	}
}

static struct place config_place(const struct systemd_boot *loader, const struct bls_key *key)
{
	return (struct place){
		.partition = loader->way->path.place.partition,
		.path = SYSTEMD_BOOT_CONFIG,
		.line = key->line,
		.text = arena_printf(loader->disk->arena, "%s %s", key->key, key->value),
	};
}

/* Without a timeout the menu stays hidden: the default entry starts at once. */
static void find_timeout(struct systemd_boot *loader, const struct bls_keys *config)
{
	const struct bls_key *key;
	uint64_t seconds;
	loader->out->timeout = loader->doubt ? NULL : "0";
	for (size_t n = 0; (key = bls_get(config, "timeout", n)); n++) {
		const char *value = key->value;
		if (str_equal(value, "menu-hidden") || str_equal(value, "menu-disabled"))
			value = "0";
		else if (str_equal(value, "menu-force"))
			value = "-1";
		else if (!str_to_u64(value, &seconds) || seconds > UINT32_MAX)
			continue;
		loader->out->timeout = value;
		loader->out->timeout_place = config_place(loader, key);
	}
}

/* The last `default` that is a pattern; of the special words only "@saved" is known. */
static const struct bls_key *find_default(const struct bls_keys *config)
{
	const struct bls_key *key, *found = NULL;
	for (size_t n = 0; (key = bls_get(config, "default", n)); n++)
		if (key->value[0] != '@' || strcasecmp(key->value, "@saved") == 0)
			found = key;
	return found;
}

static void choose(struct systemd_boot *loader, const struct bls_keys *config)
{
	struct arena *arena = loader->disk->arena;
	struct boot *out = loader->out;
	const struct bls_key *key = find_default(config);
	const char *pattern = key && key->value[0] != '@' ? folded(arena, key->value) : NULL;
	bool matched = false;
	for (size_t i = 0; pattern && !matched && i < loader->entries.count; i++) {
		matched = str_glob(pattern, folded(arena, loader->entries.items[i].id), false);
		out->default_index = matched ? i : 0;
	}
	if (key)
		out->default_place = config_place(loader, key);
	if (matched)
		out->default_reason = arena_printf(arena, "default %s in loader.conf", key->value);
	else if (pattern)
		out->default_reason = arena_printf(
			arena, "default %s in loader.conf matches no entry, so systemd-boot takes the first",
			key->value);
	else
		out->default_reason =
			key ? "nothing is saved on a new machine, so systemd-boot takes the first entry"
			    : "no default is set, so systemd-boot takes the first entry";
	out->default_known = ANSWER_YES;
	/* Entries that it finds by itself are not listed here. */
	if (pattern && !matched && str_starts(pattern, "auto-")) {
		out->default_known = ANSWER_UNKNOWN;
		out->default_reason = arena_printf(
			arena, "default %s in loader.conf is no entry of a file, and is not read",
			key->value);
	}
	if (bls_last(config, "preferred")) {
		out->default_known = ANSWER_UNKNOWN;
		out->default_reason =
			"loader.conf has preferred, which only newer versions of systemd-boot follow";
	}
}

static void list_entries(struct systemd_boot *loader)
{
	for (size_t i = 0; i < loader->entries.count; i++) {
		const struct systemd_entry *entry = &loader->entries.items[i];
		struct boot_entry *listed = LIST_ADD(loader->disk->arena, &loader->out->entries);
		*listed = entry->boot;
		listed->id = entry->id;
		listed->title = entry->title ? entry->title : entry->id;
	}
}

bool systemd_boot_read_menu(struct boot_disk *disk, const struct firmware_path *way, struct boot *out,
                            struct error *error)
{
	struct systemd_boot loader = { .disk = disk, .way = way, .out = out };
	struct bls_keys config = { 0 };
	struct span text;
	uint64_t partition = way->path.place.partition;
	out->loader = "systemd-boot";
	if (boot_disk_load(disk, partition, SYSTEMD_BOOT_CONFIG, BLS_FILE_MAX, disk->arena, &text, error)) {
		bls_parse(text, BLS_SYSTEMD, disk->arena, &config);
		out->config = (struct place){ .partition = partition, .path = SYSTEMD_BOOT_CONFIG };
	} else if (error->code != ERROR_NOT_FOUND) {
		loader.doubt = arena_printf(disk->arena, "%s cannot be read: %s", SYSTEMD_BOOT_CONFIG,
		                            error->message);
	}
	error_clear(error);
	systemd_boot_read_entries(&loader);
	sort_entries(&loader);
	list_entries(&loader);
	find_timeout(&loader, &config);
	if (loader.entries.count > 0) {
		choose(&loader, &config);
	} else {
		out->default_known = ANSWER_NO;
		out->default_reason =
			"systemd-boot finds no entry in /loader/entries or /EFI/Linux whose files exist";
	}
	if (loader.doubt) {
		out->default_known = ANSWER_UNKNOWN;
		out->default_reason = loader.doubt;
	}
	return true;
}
