// The running machine: its files through one tree over "/", its kernel and its hardware as they are.
//
// Nothing is mounted, written or loaded. Paths are looked up one by one: what else is mounted, and may hang,
// is never looked at.
#include <string.h>

#include "facts/gatherer.h"
#include "live/machine.h"
#include "os/lines.h"

#define CMDLINE_MAX ((size_t)64 << 10)
#define MODULES_MAX ((size_t)1 << 20)

static const char *load_line(struct gatherer *gatherer, const char *path, struct place *place)
{
	struct error error = { 0 };
	struct span text;
	if (!tree_load(&gatherer->tree, path, CMDLINE_MAX, gatherer->arena, &text, place, &error))
		return NULL;
	return arena_string(gatherer->arena, span_trim(text));
}

/* uname's names for what the rest of the program calls otherwise. */
static const char *plain_arch(const char *hardware)
{
	if (str_equal(hardware, "aarch64"))
		return "arm64";
	if (hardware && strlen(hardware) == 4 && hardware[0] == 'i' && str_ends(hardware, "86"))
		return "i386";
	return hardware;
}

/* The initramfs that this kernel was probably started with: the one named after it. */
static void add_initrd(struct gatherer *gatherer, const char *release, struct boot_entry *entry)
{
	static const char *const patterns[][2] = {
		{ "/boot/initrd.img-", "" },
		{ "/boot/initramfs-", ".img" },
		{ "/boot/initrd-", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		const char *path =
			arena_printf(gatherer->arena, "%s%s%s", patterns[i][0], release, patterns[i][1]);
		if (!tree_exists(&gatherer->tree, path))
			continue;
		*LIST_ADD(gatherer->arena, &entry->initrds) =
			(struct boot_file){ .path = path, .found = ANSWER_YES };
		return;
	}
}

/* The boot that the machine came up with, told by its command line. */
static struct boot_entry *add_entry(struct gatherer *gatherer, const char *release)
{
	struct place place = { 0 };
	const char *command_line = load_line(gatherer, "/proc/cmdline", &place);
	if (!command_line)
		return NULL;
	struct boot_entry *entry = LIST_ADD(gatherer->arena, &gatherer->facts->boot.entries);
	entry->title = "the running system";
	entry->command_line = command_line;
	entry->place = place;
	entry->place.line = 1;
	entry->place.text = command_line;
	char root[256];
	if (command_line_has(command_line, "root", root, sizeof(root)))
		entry->root = arena_strdup(gatherer->arena, root);
	entry->root_reason = "it is the running system's";
	if (release)
		add_initrd(gatherer, release, entry);
	return entry;
}

/* The type of what is mounted at "/": the last such line of /proc/mounts counts. NULL: not known. */
const char *gather_root_type(struct gatherer *gatherer)
{
	struct file_lines lines =
		file_lines_open(&gatherer->tree, "/proc/mounts", MODULES_MAX, gatherer->arena);
	struct span line, word, path, type;
	const char *found = NULL;
	while (file_lines_next(&lines, &line))
		if (next_word(&line, NULL, &word) && next_word(&line, NULL, &path) &&
		    next_word(&line, NULL, &type) && span_equal_text(path, "/"))
			found = arena_string(gatherer->arena, type);
	return found;
}

static struct kernel_module *module_of(struct kernel *kernel, struct span name)
{
	for (size_t i = 0; i < kernel->modules.count; i++)
		if (span_equal_text(name, kernel->modules.items[i].name))
			return &kernel->modules.items[i];
	return NULL;
}

/* A module that runs is one, whatever the lists beside the kernel say; they may be another kernel's by now.
 */
static void add_loaded(struct gatherer *gatherer, struct kernel *kernel)
{
	struct file_lines lines =
		file_lines_open(&gatherer->tree, "/proc/modules", MODULES_MAX, gatherer->arena);
	struct span line, name;
	while (file_lines_next(&lines, &line)) {
		struct span rest = line;
		struct kernel_module *module = next_word(&rest, NULL, &name) ? module_of(kernel, name) : NULL;
		if (!module)
			continue;
		module->loaded = true;
		if (module->state == MODULE_FILE)
			continue;
		module->state = MODULE_FILE;
		module->place = file_lines_place(&lines, line, gatherer->arena);
	}
}

static struct kernel *add_kernel(struct gatherer *gatherer, const struct machine_answers *answers)
{
	struct kernel *kernel = LIST_ADD(gatherer->arena, &gatherer->facts->kernels);
	kernel->version = arena_strdup(gatherer->arena, answers->release);
	kernel->arch =
		plain_arch(answers->hardware ? arena_strdup(gatherer->arena, answers->hardware) : NULL);
	kernel->banner = load_line(gatherer, "/proc/version", &kernel->place);
	kernel->place.path = "/proc/version";
	kernel->place.text = kernel->banner;
	kernel->format = "running";
	kernel->sound = ANSWER_YES;
	kernel->booted = kernel->judged = true;
	return kernel;
}

static void gather_sysctls(struct gatherer *gatherer, struct kernel *kernel, const struct boot_entry *entry)
{
	const struct sysctl_system system = {
		.tree = &gatherer->tree,
		.applier = gatherer->facts->os.sysctl_applier,
		.command_line = entry ? entry->command_line : "",
		.command_line_place = entry ? entry->place : (struct place){ 0 },
		.kernel = kernel,
		.running_only = gatherer->input->source == SOURCE_CAPTURE,
	};
	sysctl_read_running(&system, &gatherer->questions->sysctls, &gatherer->budget, gatherer->arena,
	                    kernel);
}

void gather_running_kernel(struct gatherer *gatherer, const struct machine_answers *answers)
{
	struct arena *arena = gatherer->arena;
	const char *asked = gatherer->questions->kernel;
	if (!answers->release) {
		gather_note_gap(gatherer, "kernel-missing", NULL, "the kernel does not tell its release");
		return;
	}
	if (asked && !str_equal(asked, answers->release)) {
		gather_note_gap(gatherer, "kernel-not-found", NULL,
		                "no kernel of version %s is running, but %s", asked, answers->release);
		return;
	}
	struct kernel *kernel = add_kernel(gatherer, answers);
	struct boot_entry *entry = add_entry(gatherer, kernel->version);
	struct names symbols = gather_wanted_symbols(gatherer);
	kernel_config_running(&gatherer->tree, kernel->version, &symbols, &gatherer->budget, arena,
	                      &kernel->config);
	if (!kernel->config.source)
		gather_note_gap(gatherer, "config-missing", NULL, "%s", kernel->config.reason);
	/* That no initramfs of a known name is there does not mean that none was used. */
	kernel->entry = entry && entry->initrds.count > 0 ? 1 : 0;
	gather_modules(gatherer, kernel);
	kernel->entry = entry ? 1 : 0;
	add_loaded(gatherer, kernel);
	gather_checkpoint(gatherer);
	gather_sysctls(gatherer, kernel, entry);
}

/* What this user may not read could be what a rule asks for. */
static void note_denied(struct gatherer *gatherer)
{
	const struct hostdir_use *use = gatherer->directory;
	const struct place place = { .path = use->first_denied };
	if (use->denied > 0)
		gather_note_gap(gatherer, "permission-denied", &place, "run as root to read %s",
		                use->first_denied);
}

static bool open_root(struct gatherer *gatherer)
{
	struct error error = { 0 };
	struct filesystem *root = arena_alloc(gatherer->arena, sizeof(*root));
	if (!hostdir_open(gatherer->input->descriptor, &gatherer->budget, gatherer->arena, root, &error)) {
		gatherer->facts->reason = arena_strdup(gatherer->arena, error.message);
		return false;
	}
	hostdir_of_machine(root);
	gatherer->directory = hostdir_use(root);
	gatherer->filesystems.items = arena_alloc(gatherer->arena, sizeof(struct filesystem *));
	gatherer->filesystems.items[gatherer->filesystems.count++] = root;
	gatherer->tree = tree_of(root);
	root->type = gather_root_type(gatherer);
	return true;
}

void gather_live(struct gatherer *gatherer)
{
	struct facts *facts = gatherer->facts;
	if (!open_root(gatherer))
		return;
	facts->kind = INPUT_LIVE;
	facts->examined = EXAMINED_PARTIAL;
	os_identify(&gatherer->tree, gatherer->arena, &facts->os);
	fstab_read(&gatherer->tree, gatherer->arena, &facts->fstab);
	guest_observe(&gatherer->tree, &facts->os, gatherer->arena, &facts->observations);
	gather_checkpoint(gatherer);
	gather_running_kernel(gatherer, gatherer->input->machine);
	note_denied(gatherer);
	/* Behind it: what is root's alone of the hardware is said where a rule asks for it. */
	hardware_read(&gatherer->tree, gatherer->input->machine, &gatherer->budget, gatherer->arena,
	              &facts->hardware);
	if (!facts->reason)
		facts->examined = EXAMINED_FULL;
	gather_checkpoint(gatherer);
	gatherer->directory = NULL; /* it ends with the file system */
}
