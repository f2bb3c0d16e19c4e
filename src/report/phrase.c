#include "report/phrase.h"

#include <inttypes.h>
#include <string.h>

void phrase_size(struct text *text, uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	if (bytes < 1024) {
		text_printf(text, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
		return;
	}
	double size = (double)bytes / 1024;
	size_t unit = 0;
	/* 1023.95 would print as "1024.0". */
	while (size >= 1023.95 && unit + 1 < ARRAY_SIZE(units)) {
		size /= 1024;
		unit++;
	}
	text_printf(text, "%.1f %s", size, units[unit]);
}

void phrase_count(struct text *text, uint64_t count, const char *what)
{
	text_printf(text, "%" PRIu64 " %s%s", count, what, count == 1 ? "" : "s");
}

bool place_is_empty(const struct place *place)
{
	return !place->path && !place->offset && !place->text && !place->partition;
}

/* Is this path the running system's too? Then its partition goes without saying. */
static bool path_is_mounted(const struct place *place, const struct facts *facts)
{
	for (size_t i = 0; i < facts->table.partitions.count; i++) {
		const struct partition *partition = &facts->table.partitions.items[i];
		if (partition->number == place->partition && partition->mount) {
			size_t length = strlen(partition->mount);
			return str_equal(partition->mount, "/") ||
			       (str_starts(place->path, partition->mount) && place->path[length] == '/');
		}
	}
	return false;
}

static bool same_file(const struct place *a, const struct place *b)
{
	return a->path && a->partition == b->partition && str_equal(a->path, b->path);
}

/* A file with those of the lines of `places` that are in it; the first of them is places[0]. */
static void add_file(struct text *text, const struct place *places, size_t count, const struct facts *facts)
{
	char mark = ':';
	text_add(text, places->path);
	for (size_t i = 0; i < count; i++) {
		if (!same_file(&places[i], places) || !places[i].line)
			continue;
		text_printf(text, "%c%" PRIu64, mark, places[i].line);
		mark = ',';
	}
	if (places->partition && !path_is_mounted(places, facts)) {
		text_add(text, " (");
		volume_describe(text, &facts->table, places->partition);
		text_add(text, ")");
	}
}

void phrase_place(struct text *text, const struct place *place, const struct facts *facts)
{
	if (place->path) {
		add_file(text, place, 1, facts);
		return;
	}
	bool described = false;
	if (place->partition) {
		volume_describe(text, &facts->table, place->partition);
		described = true;
	}
	if (place->offset) {
		text_printf(text, "%sbyte %" PRIu64, described ? ", " : "", place->offset);
		described = true;
	}
	if (!described)
		text_add(text, place->text ? place->text : "");
}

static bool is_said_before(const struct place *places, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (same_file(&places[i], &places[index]))
			return true;
	return false;
}

void phrase_places(struct text *text, const struct place *places, size_t count, size_t most,
                   const struct facts *facts)
{
	size_t all = 0, said = 0;
	for (size_t i = 0; i < count; i++)
		all += !is_said_before(places, i) && !place_is_empty(&places[i]);
	/* "and 1 more" takes the room of that one. */
	size_t shown = all > most ? most - 1 : all;
	for (size_t i = 0; i < count && said < shown; i++) {
		if (is_said_before(places, i) || place_is_empty(&places[i]))
			continue;
		text_add(text, said++ ? ", " : "");
		if (places[i].path)
			add_file(text, &places[i], count - i, facts);
		else
			phrase_place(text, &places[i], facts);
	}
	if (shown < all)
		text_printf(text, " and %zu more", all - shown);
}

static void add_part(struct text *text, const char *part)
{
	if (text->size > 0)
		text_add(text, ", ");
	text_add(text, part);
}

static void add_table(struct text *text, const struct partition_table *table)
{
	if (!table->kind)
		return;
	if (str_equal(table->kind, "gpt"))
		add_part(text, table->hybrid ? "GPT with a hybrid MBR" : "GPT");
	else if (str_equal(table->kind, "mbr"))
		add_part(text, "MBR");
	else
		add_part(text, "no partition table");
}

static enum answer firmware_boots(const struct boot *boot, const char *firmware)
{
	enum answer best = ANSWER_NO;
	for (size_t i = 0; i < boot->paths.count; i++) {
		const struct boot_path *path = &boot->paths.items[i];
		if (!str_equal(path->firmware, firmware))
			continue;
		if (path->works == ANSWER_YES)
			return ANSWER_YES;
		if (path->works == ANSWER_UNKNOWN)
			best = ANSWER_UNKNOWN;
	}
	return best;
}

static void add_firmware(struct text *text, const struct boot *boot)
{
	enum answer bios = firmware_boots(boot, "bios"), uefi = firmware_boots(boot, "uefi");
	if (boot->paths.count == 0)
		return; /* nobody has looked */
	if (bios == ANSWER_YES && uefi == ANSWER_YES)
		add_part(text, "boots BIOS and UEFI");
	else if (bios == ANSWER_YES)
		add_part(text, "boots BIOS");
	else if (uefi == ANSWER_YES)
		add_part(text, "boots UEFI");
	else if (bios == ANSWER_UNKNOWN || uefi == ANSWER_UNKNOWN)
		add_part(text, "boot code not understood");
	else
		add_part(text, "nothing that boots");
}

static void add_os(struct text *text, const struct os *os)
{
	if (os->name) {
		add_part(text, os->name);
	} else if (os->id) {
		add_part(text, os->id);
		if (os->version)
			text_printf(text, " %s", os->version);
	}
}

static void add_kernel(struct text *text, const struct facts *facts)
{
	bool any = false;
	for (size_t i = 0; i < facts->kernels.count; i++) {
		const struct kernel *kernel = &facts->kernels.items[i];
		if (!kernel->booted && !kernel->judged)
			continue;
		any = true;
		add_part(text, "Linux ");
		text_add(text, kernel->version ? kernel->version : "of unknown version");
		const struct boot_entry *entry = NULL;
		if (kernel->entry > 0 && kernel->entry <= facts->boot.entries.count)
			entry = &facts->boot.entries.items[kernel->entry - 1];
		if ((!kernel->booted && !entry) || facts->kind == INPUT_LIVE)
			continue;
		text_add(text, kernel->booted ? " (default entry" : " (not the default entry");
		if (entry && !place_is_empty(&entry->place)) {
			text_add(text, ", ");
			phrase_place(text, &entry->place, facts);
		}
		text_add(text, ")");
	}
	if (!any && facts->kind == INPUT_DISK && facts->examined == EXAMINED_FULL)
		add_part(text, "no kernel that boots");
}

void phrase_input(struct text *text, const struct facts *facts)
{
	struct text what CLEANUP(text_free) = { 0 };
	if (facts->size > 0) {
		phrase_size(&what, facts->size);
		if (facts->container)
			text_printf(&what, " %s", facts->container);
	} else if (facts->container) {
		text_add(&what, facts->container);
	}
	if (facts->kind == INPUT_CONFIG)
		add_part(&what, "kernel configuration");
	if (facts->kind == INPUT_KERNEL && !facts->container)
		add_part(&what, "kernel");
	if (facts->kind == INPUT_LIVE)
		add_part(&what, facts->hardware.platform == ANSWER_YES ? "this machine, of Compute Engine"
		                                                       : "this machine");
	if (facts->kind == INPUT_DISK) {
		add_table(&what, &facts->table);
		add_firmware(&what, &facts->boot);
	}
	add_os(&what, &facts->os);
	add_kernel(&what, facts);
	text_add(text, text_get(&what));
}

void phrase_end(struct text *text)
{
	if (text->size > 0 && !strchr(".?!", text->data[text->size - 1]))
		text_add_char(text, '.');
}

void phrase_name(struct text *text, const char *name)
{
	text_add_clean(text, span_text(name));
}

const char *run_firmware(const struct run *run)
{
	if (!run->firmware || str_equal(run->firmware, "none"))
		return "its kernel loaded directly";
	return run->firmware;
}
