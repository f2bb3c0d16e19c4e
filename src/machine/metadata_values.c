#include <ctype.h>
#include <string.h>

#include "machine/metadata.h"
#include "machine/network.h"
#include "machine/platform.h"

#define PROJECT "projects/" PLATFORM_NUMBER

/* What the guest environment and cloud-init ask first, and what an instance without settings has. */
const struct metadata_row metadata_rows[] = {
	{ "instance/attributes", NULL, METADATA_DIRECTORY },
	{ "instance/cpu-platform", "Intel Broadwell", METADATA_TEXT },
	{ "instance/description", "", METADATA_TEXT },
	{ "instance/disks/0/device-name", "persistent-disk-0", METADATA_TEXT },
	{ "instance/disks/0/index", "0", METADATA_NUMBER },
	{ "instance/disks/0/interface", "SCSI", METADATA_TEXT },
	{ "instance/disks/0/mode", "READ_WRITE", METADATA_TEXT },
	{ "instance/disks/0/type", "PERSISTENT-BALANCED", METADATA_TEXT },
	{ "instance/guest-attributes", NULL, METADATA_DIRECTORY },
	{ "instance/hostname", PLATFORM_HOST, METADATA_TEXT },
	{ "instance/id", "4242424242424242424", METADATA_NUMBER },
	{ "instance/image", "", METADATA_TEXT },
	{ "instance/licenses", NULL, METADATA_DIRECTORY },
	{ "instance/machine-type", PROJECT "/machineTypes/n1-standard-2", METADATA_TEXT },
	{ "instance/maintenance-event", "NONE", METADATA_TEXT },
	{ "instance/name", PLATFORM_NAME, METADATA_TEXT },
	{ "instance/network-interfaces/0/access-configs", NULL, METADATA_DIRECTORY },
	{ "instance/network-interfaces/0/dns-servers", NETWORK_METADATA, METADATA_LIST },
	{ "instance/network-interfaces/0/forwarded-ips", NULL, METADATA_DIRECTORY },
	{ "instance/network-interfaces/0/gateway", NETWORK_GATEWAY, METADATA_TEXT },
	{ "instance/network-interfaces/0/ip", NETWORK_ADDRESS, METADATA_TEXT },
	{ "instance/network-interfaces/0/ip-aliases", NULL, METADATA_DIRECTORY },
	{ "instance/network-interfaces/0/mac", NETWORK_MAC, METADATA_TEXT },
	{ "instance/network-interfaces/0/mtu", "1460", METADATA_NUMBER },
	{ "instance/network-interfaces/0/network", PROJECT "/networks/default", METADATA_TEXT },
	{ "instance/network-interfaces/0/subnetmask", "255.255.240.0", METADATA_TEXT },
	{ "instance/network-interfaces/0/target-instance-ips", NULL, METADATA_DIRECTORY },
	{ "instance/preempted", "FALSE", METADATA_TEXT },
	{ "instance/remaining-cpu-time", "-1", METADATA_NUMBER },
	{ "instance/scheduling/automatic-restart", "TRUE", METADATA_TEXT },
	{ "instance/scheduling/on-host-maintenance", "MIGRATE", METADATA_TEXT },
	{ "instance/scheduling/preemptible", "FALSE", METADATA_TEXT },
	{ "instance/service-accounts", NULL, METADATA_DIRECTORY },
	{ "instance/tags", "", METADATA_LIST },
	{ "instance/virtual-clock/drift-token", "0", METADATA_TEXT },
	{ "instance/zone", PROJECT "/zones/" PLATFORM_ZONE, METADATA_TEXT },
	{ "oslogin/authenticate/sessions", NULL, METADATA_DIRECTORY },
	{ "project/attributes", NULL, METADATA_DIRECTORY },
	{ "project/numeric-project-id", PLATFORM_NUMBER, METADATA_NUMBER },
	{ "project/project-id", PLATFORM_PROJECT, METADATA_TEXT },
	{ NULL, NULL, METADATA_TEXT },
};

/* Those are lists, though nothing in them says so. */
static const char *const empty_lists[] = { "access-configs", "forwarded-ips", "ip-aliases", "licenses",
	                                   "target-instance-ips" };

/* What of a row's path is below `directory`; NULL: it lies elsewhere. */
static const char *below(const struct metadata_row *row, const char *directory)
{
	size_t length = strlen(directory);
	if (length == 0)
		return row->path;
	if (strncmp(row->path, directory, length) != 0 || (row->path[length] && row->path[length] != '/'))
		return NULL;
	return row->path[length] ? row->path + length + 1 : "";
}

/* Keys of JSON are written as one word: "network-interfaces" is networkInterfaces. */
static void add_key(struct text *out, const char *word, size_t length)
{
	text_add_char(out, '"');
	for (size_t i = 0; i < length; i++) {
		bool joint = word[i] == '-' && i + 1 < length;
		text_add_char(out, joint ? (char)toupper((unsigned char)word[++i]) : word[i]);
	}
	text_add(out, "\":");
}

/* The table holds no character that JSON would have escaped. */
static void add_quoted(struct text *out, const char *value)
{
	text_printf(out, "\"%s\"", value);
}

static void add_empty(struct text *out, const char *path)
{
	const char *last = strrchr(path, '/');
	for (size_t i = 0; last && i < ARRAY_SIZE(empty_lists); i++)
		if (str_equal(last + 1, empty_lists[i])) {
			text_add(out, "[]");
			return;
		}
	text_add(out, "{}");
}

static void add_leaf_json(struct text *out, const struct metadata_row *row)
{
	if (row->kind == METADATA_DIRECTORY) {
		add_empty(out, row->path);
	} else if (row->kind == METADATA_NUMBER) {
		text_add(out, row->value);
	} else if (row->kind == METADATA_LIST) {
		text_add_char(out, '[');
		if (*row->value)
			add_quoted(out, row->value);
		text_add_char(out, ']');
	} else {
		add_quoted(out, row->value);
	}
}

/*
 * Everything below the first `depth` bytes of the row's path, which is a directory, from *row on; *row is
 * moved behind it. A directory of numbers is an array.
 */
static void add_tree_json(struct text *out, const struct metadata_row **row, size_t depth)
{
	const struct metadata_row *first = *row;
	bool array = isdigit((unsigned char)first->path[depth]);
	text_add_char(out, array ? '[' : '{');
	while ((*row)->path && strncmp((*row)->path, first->path, depth) == 0) {
		const char *word = (*row)->path + depth;
		size_t length = strcspn(word, "/");
		if (*row != first)
			text_add_char(out, ',');
		if (!array)
			add_key(out, word, length);
		if (word[length])
			add_tree_json(out, row, depth + length + 1);
		else
			add_leaf_json(out, (*row)++);
	}
	text_add_char(out, array ? ']' : '}');
}

/* A directory as text: the names in it, a line each, those of directories with a slash; or all below it. */
static void add_directory(struct text *out, const char *directory, bool recursive)
{
	const char *last = "";
	for (const struct metadata_row *row = metadata_rows; row->path; row++) {
		const char *rest = below(row, directory);
		size_t length = rest ? strcspn(rest, "/") : 0;
		if (!rest || length == 0)
			continue;
		bool leaf = rest[length] == '\0' && row->kind != METADATA_DIRECTORY;
		if (recursive) {
			if (row->kind != METADATA_DIRECTORY && *row->value)
				text_printf(out, "%s %s\n", rest, row->value);
		} else if (strncmp(last, rest, length + 1) != 0) {
			text_printf(out, "%.*s%s\n", (int)length, rest, leaf ? "" : "/");
		}
		last = rest;
	}
}

bool metadata_value(const char *path, bool json, bool recursive, struct text *out, bool *directory)
{
	const struct metadata_row *row = metadata_rows;
	while (row->path && !below(row, path))
		row++;
	if (!row->path)
		return false;
	size_t depth = strlen(path);
	bool leaf = row->path[depth] == '\0' && depth > 0;
	*directory = !leaf || row->kind == METADATA_DIRECTORY;
	if (json && leaf)
		add_leaf_json(out, row);
	else if (json && recursive)
		add_tree_json(out, &row, depth > 0 ? depth + 1 : 0);
	else if (leaf)
		text_add(out, row->value ? row->value : "");
	else
		add_directory(out, path, recursive);
	return true;
}
