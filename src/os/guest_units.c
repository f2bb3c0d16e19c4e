// Which units of systemd are enabled: those that a folder TARGET.wants or TARGET.requires names,
// systemd.unit(5).
#include <string.h>

#include "os/guest.h"

/* A system has some hundred; what a crafted image may cost ends here. */
#define WANTS_MOST 4096

bool guest_unit_masked(const struct guest *guest, const char *unit, struct place *place)
{
	char target[TREE_PATH_MAX];
	const char *path = arena_printf(guest->arena, "/etc/systemd/system/%s", unit);
	if (!guest_read_link(guest, path, target, sizeof(target)) || strcmp(target, "/dev/null") != 0)
		return false;
	*place = (struct place){ .path = path, .text = "/dev/null" };
	return true;
}

static bool list_folder(const struct guest *guest, const char *folder, struct guest_wants *wants,
                        struct error *error)
{
	struct names names;
	if (!tree_names(guest->tree, folder, guest->arena, &names, error))
		return false;
	if (names.count > WANTS_MOST - wants->paths.count)
		return error_set(error, ERROR_LIMIT, "%s: more than %d units are enabled", folder,
		                 WANTS_MOST);
	for (size_t i = 0; i < names.count; i++)
		*LIST_ADD(guest->arena, &wants->paths) =
			arena_printf(guest->arena, "%s/%s", folder, names.items[i]);
	return true;
}

static bool list_wants(const struct guest *guest, const char *directory, struct guest_wants *wants,
                       struct error *error)
{
	struct names names;
	if (!tree_names(guest->tree, directory, guest->arena, &names, error))
		return false;
	for (size_t i = 0; i < names.count; i++) {
		if (!str_ends(names.items[i], ".wants") && !str_ends(names.items[i], ".requires"))
			continue;
		const char *folder = arena_printf(guest->arena, "%s/%s", directory, names.items[i]);
		if (!list_folder(guest, folder, wants, error))
			return false;
	}
	return true;
}

/* Observers ask for dozens of units: the folders are listed once for them all. */
static const struct guest_wants *wants_of(const struct guest *guest)
{
	static const char *const directories[] = { "/etc/systemd/system", "/usr/lib/systemd/system",
		                                   "/lib/systemd/system" };
	struct guest_wants *wants = guest->wants;
	struct error error = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(directories) && !wants->listed; i++)
		if (!list_wants(guest, directories[i], wants, &error) && !wants->trouble)
			wants->trouble = arena_strdup(guest->arena, error.message);
	wants->listed = true;
	return wants;
}

bool guest_unit_enabled(const struct guest *guest, const char *unit, struct place *place)
{
	struct error ignored;
	struct tree_file file;
	if (guest_unit_masked(guest, unit, place))
		return false;
	const struct guest_wants *wants = wants_of(guest);
	for (size_t i = 0; i < wants->paths.count; i++) {
		const char *path = wants->paths.items[i];
		if (!str_equal(strrchr(path, '/') + 1, unit) ||
		    !tree_lookup_link(guest->tree, path, &file, &ignored))
			continue;
		*place = tree_place(&file, 0, NULL, guest->arena);
		return true;
	}
	if (wants->trouble && !guest->effort->trouble)
		guest->effort->trouble = wants->trouble;
	return false;
}
