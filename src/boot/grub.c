#include "boot/grub.h"

#include "base/text.h"
#include "boot/grub_machine.h"

/* What GRUB's normal mode sets and exports before it reads a configuration. */
static void set_exported(struct grub_machine *machine, const char *name, const char *text)
{
	grub_set(machine, name, text, NULL);
	grub_environment_export(&machine->environment, name, machine->arena);
}

static void set_up(struct grub_machine *machine)
{
	static const char *const features[] = {
		"feature_chainloader_bpb",      "feature_ntldr",
		"feature_platform_search_hint", "feature_default_font_path",
		"feature_all_video_module",     "feature_menuentry_id",
		"feature_menuentry_options",    "feature_200_final",
		"feature_nativedisk_cmd",       "feature_timeout_style",
	};
	const struct grub_start *start = machine->start;
	const char *device = grub_device_name(machine, start->partition);
	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		set_exported(machine, features[i], "y");
	set_exported(machine, "grub_platform", start->platform);
	set_exported(machine, "grub_cpu", start->cpu);
	set_exported(machine, "root", device);
	set_exported(machine, "prefix",
	             arena_printf(machine->arena, "(%s)%s", device,
	                          grub_btrfs_relative(machine->disk, &start->btrfs, start->partition,
	                                              start->prefix)));
	machine->btrfs = start->btrfs;
	if (start->btrfs.relative)
		set_exported(machine, "btrfs_relative_path", "y");
	if (start->cmdpath)
		set_exported(machine, "cmdpath",
		             arena_printf(machine->arena, "(%s)%s",
		                          grub_device_name(machine, start->cmd_partition), start->cmdpath));
}

bool grub_run(const struct grub_disk *disk, const struct grub_start *start, struct budget *budget,
              struct arena *arena, struct boot *out, struct error *error)
{
	struct grub_menu menu = { 0 };
	struct grub_machine machine = {
		.disk = disk,
		.start = start,
		.budget = budget,
		.arena = arena,
		.out = out,
		.error = error,
		.menu = &menu,
	};
	out->loader = "grub";
	out->config =
		(struct place){ .partition = start->partition, .path = arena_strdup(arena, start->config) };
	set_up(&machine);
	if (!grub_run_file(&machine, start->partition, start->config))
		return false;
	machine.source = NULL;
	machine.maybe = machine.tainted = NULL;
	if (machine.shown.path)
		out->config = (struct place){ .partition = machine.shown.partition,
			                      .path = arena_strdup(arena, machine.shown.path) };
	grub_menu_run(&machine);
	if (machine.flow == GRUB_FLOW_FAIL) {
		out->default_known = ANSWER_UNKNOWN;
		out->default_reason = arena_strdup(arena, error->message);
		return false;
	}
	error_clear(error);
	return true;
}

bool grub_run_embedded(const struct grub_disk *disk, const struct grub_start *start, struct span commands,
                       struct budget *budget, struct arena *arena, uint64_t *partition, const char **config,
                       struct grub_btrfs *btrfs)
{
	const struct grub_source source = { .path = "(embedded)", .text = commands };
	struct grub_menu menu = { 0 };
	struct boot ignored = { 0 };
	struct error error = { 0 };
	struct grub_machine machine = {
		.disk = disk,
		.start = start,
		.budget = budget,
		.arena = arena,
		.out = &ignored,
		.error = &error,
		.menu = &menu,
	};
	set_up(&machine);
	grub_run_text(&machine, &source);
	machine.source = NULL;
	if (machine.flow == GRUB_FLOW_FAIL || machine.broken || machine.tainted)
		return false;
	grub_btrfs_observe(&machine);
	*btrfs = machine.btrfs;
	/* Without a `configfile` that opened a menu, normal mode reads $prefix/grub.cfg. */
	if (machine.shown.path) {
		*partition = machine.shown.partition;
		*config = arena_strdup(arena, machine.shown.path);
		return true;
	}
	const struct grub_value *prefix = grub_environment_get(&machine.environment, "prefix");
	if (!prefix || prefix->unknown)
		return false;
	struct grub_path path = grub_resolve(&machine, prefix->text);
	if (path.known != ANSWER_YES)
		return false;
	*partition = path.partition;
	*config = arena_printf(arena, "%s/grub.cfg", path.path);
	return true;
}
