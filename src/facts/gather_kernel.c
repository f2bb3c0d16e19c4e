#include <string.h>

#include "boot/kernel_image.h"
#include "facts/gatherer.h"

/* A kernel file as it is found: by an entry of the boot menu, or lying in /boot. */
struct candidate {
	struct filesystem *fs;
	const char *path;      /* inside fs */
	const char *section;   /* of the EFI program at `path` that it is; NULL: the whole file */
	uint64_t offset, size; /* of that section */
	uint64_t entry;        /* 1 + index of the first entry that boots it; 0: none */
	bool booted;
};

static struct kernel *kernel_at(struct gatherer *gatherer, uint64_t partition, const char *image_path,
                                uint64_t offset)
{
	struct facts *facts = gatherer->facts;
	for (size_t i = 0; i < facts->kernels.count; i++) {
		struct kernel *kernel = &facts->kernels.items[i];
		if (kernel->place.partition == partition && str_equal(kernel->place.path, image_path) &&
		    kernel->offset == offset)
			return kernel;
	}
	return NULL;
}

/* A file, or the part of it that lies at `offset`; empty when it does not lie inside. */
static struct reader part_of(const struct tree_file *file, uint64_t offset, uint64_t size)
{
	struct reader whole = node_reader(&file->node), part = { 0 };
	struct error error = { 0 };
	if (size == 0)
		return whole;
	return reader_slice(&whole, offset, size, &part, &error) ? part : (struct reader){ 0 };
}

/* What a kernel file says of itself. That it is none is said only of bytes that could be read. */
void gather_read_kernel(struct gatherer *gatherer, const struct reader *file, struct kernel *kernel)
{
	struct error error = { 0 };
	struct kernel_image image = { 0 };
	struct reader_watch watch = { .below = *file };
	const struct reader watched = reader_watched(&watch);
	if (kernel_image_read(&watched, &gatherer->budget, gatherer->arena, &image, &error)) {
		kernel->version = image.version;
		kernel->banner = image.banner;
		kernel->arch = image.arch;
		kernel->format = image.format;
		kernel->efi_stub = image.efi_stub ? ANSWER_YES : ANSWER_NO;
		kernel->sound = ANSWER_YES;
		if (!kernel->version)
			kernel->reason = "the kernel file does not tell its version";
		kernel->config.reason = kernel->reason;
		return;
	}
	bool wrong = error.code == ERROR_CORRUPT || error.code == ERROR_TRUNCATED;
	kernel->config.reason = kernel->reason = arena_strdup(gatherer->arena, error.message);
	if (wrong && watch.failures == 0)
		kernel->sound = ANSWER_NO;
}

/* More than any image has. Each is looked for among those before it, and may have to be unpacked. */
#define KERNELS_MOST 256

/* Adds a kernel file, once; the default entry's claim on it wins over another entry's. */
static void add_kernel(struct gatherer *gatherer, const struct candidate *candidate)
{
	struct error error = { 0 };
	struct tree tree = tree_of(candidate->fs);
	struct tree_file file;
	if (!tree_lookup(&tree, candidate->path, &file, &error) || file.node.type != NODE_FILE)
		return;
	const char *image_path = gather_image_path(gatherer, candidate->fs->partition,
	                                           arena_strdup(gatherer->arena, file.path));
	struct kernel *kernel = kernel_at(gatherer, candidate->fs->partition, image_path, candidate->offset);
	if (!kernel && !candidate->booted && gatherer->facts->kernels.count >= KERNELS_MOST) {
		if (!gatherer->kernels_left_out)
			gather_note_gap(gatherer, "kernels-left-out", NULL,
			                "there are more than %d kernels: the rest was not looked at",
			                KERNELS_MOST);
		gatherer->kernels_left_out = true;
		return;
	}
	if (!kernel) {
		kernel = LIST_ADD(gatherer->arena, &gatherer->facts->kernels);
		kernel->place = (struct place){ .partition = candidate->fs->partition,
			                        .path = image_path,
			                        .text = candidate->section };
		kernel->offset = candidate->offset;
		kernel->size = candidate->size;
		struct reader reader = part_of(&file, kernel->offset, kernel->size);
		gather_read_kernel(gatherer, &reader, kernel);
	}
	kernel->disputed |= kernel->entry && candidate->entry &&
	                    !boot_same_start(&gatherer->facts->boot.entries.items[kernel->entry - 1],
	                                     &gatherer->facts->boot.entries.items[candidate->entry - 1]);
	if (candidate->booted || !kernel->entry)
		kernel->entry = candidate->entry;
	kernel->booted |= candidate->booted;
}

static void add_kernels_of_menu(struct gatherer *gatherer)
{
	const struct boot *boot = &gatherer->facts->boot;
	for (size_t i = 0; i < boot->entries.count; i++) {
		const struct boot_entry *entry = &boot->entries.items[i];
		struct filesystem *fs = gather_filesystem(gatherer, entry->kernel.partition);
		if (!fs || entry->kernel.found != ANSWER_YES)
			continue;
		struct candidate candidate = {
			.fs = fs,
			.path = entry->kernel.path,
			.section = entry->kernel.section,
			.offset = entry->kernel.offset,
			.size = entry->kernel.size,
			.entry = i + 1,
			.booted = boot->default_known == ANSWER_YES && boot->default_index == i,
		};
		add_kernel(gatherer, &candidate);
	}
}

/* A path of the tree, given to the file system that it really lies in. */
static void add_kernel_of_tree(struct gatherer *gatherer, const char *path)
{
	struct error error = { 0 };
	struct tree_file file;
	if (!tree_lookup(&gatherer->tree, path, &file, &error))
		return;
	struct filesystem *fs = gather_filesystem(gatherer, file.node.fs->partition);
	if (!fs)
		return;
	struct candidate candidate = { .fs = fs, .path = gather_own_path(gatherer, &file) };
	add_kernel(gatherer, &candidate);
}

static struct kernel *kernel_of_version(struct facts *facts, const char *version)
{
	for (size_t i = 0; i < facts->kernels.count; i++)
		if (str_equal(facts->kernels.items[i].version, version))
			return &facts->kernels.items[i];
	return NULL;
}

static void add_kernels_of_tree(struct gatherer *gatherer)
{
	struct error error = { 0 };
	struct names names;
	if (tree_names(&gatherer->tree, "/boot", gatherer->arena, &names, &error))
		for (size_t i = 0; i < names.count; i++)
			if (str_starts(names.items[i], "vmlinuz-") ||
			    str_starts(names.items[i], "vmlinux-") || str_starts(names.items[i], "Image-"))
				add_kernel_of_tree(gatherer,
				                   arena_printf(gatherer->arena, "/boot/%s", names.items[i]));
	/* A copy below /usr/lib/modules is the package's; it counts only where /boot has none of that
	 * version. */
	if (!tree_names(&gatherer->tree, "/usr/lib/modules", gatherer->arena, &names, &error))
		return;
	for (size_t i = 0; i < names.count; i++)
		if (!kernel_of_version(gatherer->facts, names.items[i]))
			add_kernel_of_tree(
				gatherer,
				arena_printf(gatherer->arena, "/usr/lib/modules/%s/vmlinuz", names.items[i]));
}

/* A root file system may hold all of a kernel but its file, which then lies beside the root, in a UKI, ... */
static void add_kernels_of_configurations(struct gatherer *gatherer)
{
	struct error error = { 0 };
	struct tree_file file;
	struct names names;
	if (!tree_names(&gatherer->tree, "/usr/lib/modules", gatherer->arena, &names, &error))
		return;
	for (size_t i = 0; i < names.count; i++) {
		const char *const paths[] = {
			arena_printf(gatherer->arena, "/boot/config-%s", names.items[i]),
			arena_printf(gatherer->arena, "/usr/lib/modules/%s/config", names.items[i]),
		};
		bool known = kernel_of_version(gatherer->facts, names.items[i]) != NULL;
		for (size_t j = 0; j < ARRAY_SIZE(paths) && !known; j++) {
			known = tree_lookup(&gatherer->tree, paths[j], &file, &error);
			if (!known)
				continue;
			struct kernel *kernel = LIST_ADD(gatherer->arena, &gatherer->facts->kernels);
			kernel->version = names.items[i];
			kernel->place = tree_place(&file, 0, NULL, gatherer->arena);
		}
	}
}

/* The kernel that stands for the image where no entry is known to boot: the newest. */
static struct kernel *newest_kernel(struct facts *facts)
{
	struct kernel *newest = NULL;
	for (size_t i = 0; i < facts->kernels.count; i++) {
		struct kernel *kernel = &facts->kernels.items[i];
		if (kernel->version && (!newest || version_compare(kernel->version, newest->version) > 0))
			newest = kernel;
	}
	return newest;
}

static bool choose_by_version(struct gatherer *gatherer, const char *version)
{
	struct text CLEANUP(text_free) versions = { 0 };
	struct facts *facts = gatherer->facts;
	struct kernel *chosen = kernel_of_version(facts, version);
	if (chosen) {
		chosen->judged = true;
		return true;
	}
	for (size_t i = 0; i < facts->kernels.count; i++) {
		const struct kernel *kernel = &facts->kernels.items[i];
		text_printf(&versions, "%s%s", versions.size ? ", " : "",
		            kernel->version ? kernel->version : kernel->place.path);
	}
	gather_note_gap(gatherer, "kernel-not-found", NULL,
	                "no kernel of version %s is in the image; it has %s", version,
	                versions.size ? text_get(&versions) : "none");
	return false;
}

static void choose_kernels(struct gatherer *gatherer)
{
	struct facts *facts = gatherer->facts;
	if (gatherer->questions->kernel) {
		(void)choose_by_version(gatherer, gatherer->questions->kernel);
		return;
	}
	bool any = false;
	for (size_t i = 0; i < facts->kernels.count; i++) {
		struct kernel *kernel = &facts->kernels.items[i];
		/* A file in /boot that no entry boots and that is no kernel is something else. */
		kernel->judged = kernel->booted ||
		                 (gatherer->questions->all_kernels && (kernel->version || kernel->entry));
		any |= kernel->judged;
	}
	struct kernel *newest = any ? NULL : newest_kernel(facts);
	if (newest)
		newest->judged = true;
	/* A root file system may do without one: then the rules of kernels are not asked. */
	else if (!any && facts->kind != INPUT_TREE)
		gather_note_gap(gatherer, "kernel-missing", NULL, "no kernel was found in the image");
}

/* The initramfs that a kernel gets: its entry's initrds one behind the other, else the one named after it. */
struct initramfs_source {
	struct tree_file files[READER_PARTS_MAX];
	struct reader_sequence sequence;
	struct reader reader;
};

/* Adds a file to the sequence and names it as the kernel's: the last is the main one, microcode comes first.
 */
static void add_initrd(struct gatherer *gatherer, const struct tree *tree, const struct boot_file *initrd,
                       struct initramfs_source *source, struct kernel *kernel)
{
	struct error error = { 0 };
	if (source->sequence.count == READER_PARTS_MAX)
		return;
	struct tree_file *file = &source->files[source->sequence.count];
	if (!tree_lookup(tree, initrd->path, file, &error) || file->node.type != NODE_FILE)
		return;
	source->sequence.parts[source->sequence.count++] = part_of(file, initrd->offset, initrd->size);
	kernel->initramfs = tree_place(file, 0, initrd->section, gatherer->arena);
}

static void find_initramfs_of_entry(struct gatherer *gatherer, const struct boot_entry *entry,
                                    struct initramfs_source *source, struct kernel *kernel)
{
	for (size_t i = 0; i < entry->initrds.count; i++) {
		struct filesystem *fs = gather_filesystem(gatherer, entry->initrds.items[i].partition);
		if (!fs)
			continue;
		struct tree tree = tree_of(fs);
		add_initrd(gatherer, &tree, &entry->initrds.items[i], source, kernel);
	}
	kernel->initramfs.path =
		gather_image_path(gatherer, kernel->initramfs.partition, kernel->initramfs.path);
}

/* Where no entry says which: the names that the distributions' tools give. */
static void find_initramfs_by_name(struct gatherer *gatherer, struct initramfs_source *source,
                                   struct kernel *kernel)
{
	const char *const paths[] = {
		arena_printf(gatherer->arena, "/boot/initrd.img-%s", kernel->version),
		arena_printf(gatherer->arena, "/boot/initramfs-%s.img", kernel->version),
		arena_printf(gatherer->arena, "/boot/initrd-%s", kernel->version),
	};
	for (size_t i = 0; i < ARRAY_SIZE(paths) && source->sequence.count == 0; i++) {
		const struct boot_file named = { .path = paths[i] };
		add_initrd(gatherer, &gatherer->tree, &named, source, kernel);
	}
}

static bool find_initramfs(struct gatherer *gatherer, struct kernel *kernel, struct initramfs_source *source)
{
	struct error error = { 0 };
	source->sequence.unit = 4; /* boot loaders align each file so */
	if (kernel->entry)
		find_initramfs_of_entry(gatherer, &gatherer->facts->boot.entries.items[kernel->entry - 1],
		                        source, kernel);
	else
		find_initramfs_by_name(gatherer, source, kernel);
	return source->sequence.count > 0 && reader_of_sequence(&source->sequence, &source->reader, &error);
}

static void add_name(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (str_equal(names->items[i], name))
			return;
	names->items[names->count++] = name;
}

/* Is the root file system of the running system in a logical volume? */
static bool root_is_volume(const struct gatherer *gatherer)
{
	return gatherer->tree.root && gatherer->tree.root->partition >= VOLUME_FIRST_NUMBER;
}

/* What the initramfs mounts beside the root: systemd and its like are below /usr. */
static const struct filesystem *usr_file_system(const struct gatherer *gatherer)
{
	for (size_t i = 0; i < gatherer->filesystems.count; i++) {
		const struct filesystem *fs = gatherer->filesystems.items[i];
		for (size_t j = 0; j < fs->mounts.count; j++)
			if (str_equal(fs->mounts.items[j].point, "/usr"))
				return fs;
	}
	return NULL;
}

static void add_file_system_driver(struct names *names, const char *type)
{
	add_name(names, type);
	if (str_equal(type, "ext2") || str_equal(type, "ext3"))
		add_name(names, "ext4"); /* its driver mounts all three */
}

/* A copy of a list with room for the drivers of this image's own root and /usr, which go into it. */
static struct names with_root_driver(struct gatherer *gatherer, const struct names *asked)
{
	struct names names = { .items =
		                       arena_alloc_array(gatherer->arena, asked->count + 5, sizeof(char *)) };
	for (size_t i = 0; i < asked->count; i++)
		add_name(&names, asked->items[i]);
	const struct filesystem *usr = usr_file_system(gatherer);
	const char *type = gatherer->tree.root->type;
	if (!type)
		return names; /* a root without a disk */
	add_file_system_driver(&names, type);
	if (usr && usr->type)
		add_file_system_driver(&names, usr->type);
	if (root_is_volume(gatherer))
		add_name(&names, "dm_mod");
	return names;
}

/* The symbols that the questions name, those that sysctl defaults hang on, and the initramfs inside a kernel.
 */
struct names gather_wanted_symbols(struct gatherer *gatherer)
{
	const struct names *asked = &gatherer->questions->symbols;
	size_t more = 0;
	while (sysctl_default_symbols[more])
		more++;
	struct names wanted = {
		.items = arena_alloc_array(gatherer->arena, asked->count + more + 1, sizeof(char *)),
	};
	for (size_t i = 0; i < asked->count; i++)
		wanted.items[wanted.count++] = asked->items[i];
	for (size_t i = 0; i < more; i++)
		add_name(&wanted, sysctl_default_symbols[i]);
	add_name(&wanted, "INITRAMFS_SOURCE");
	return wanted;
}

static void gather_sysctls(struct gatherer *gatherer, struct kernel *kernel)
{
	const struct questions *questions = gatherer->questions;
	struct sysctl_system system = {
		.tree = &gatherer->tree,
		.applier = gatherer->facts->os.sysctl_applier,
		.command_line = "",
		.kernel = kernel,
	};
	if (kernel->entry) {
		const struct boot_entry *entry = &gatherer->facts->boot.entries.items[kernel->entry - 1];
		system.command_line = entry->command_line ? entry->command_line : "";
		system.command_line_place = entry->place;
		system.command_line_place.path =
			gather_image_path(gatherer, entry->place.partition, entry->place.path);
	}
	if (questions->everything)
		sysctl_predict_all(&system, &questions->sysctls, &gatherer->budget, gatherer->arena, kernel);
	else
		sysctl_predict(&system, &questions->sysctls, &gatherer->budget, gatherer->arena, kernel);
}

/* Opens a kernel's own file again: through the running system's tree, else through its file system alone. */
static bool open_kernel(struct gatherer *gatherer, const struct kernel *kernel, struct tree_file *file)
{
	struct error error = { 0 };
	if (tree_lookup(&gatherer->tree, kernel->place.path, file, &error) &&
	    file->node.fs->partition == kernel->place.partition)
		return true;
	struct filesystem *fs = gather_filesystem(gatherer, kernel->place.partition);
	if (!fs)
		return false;
	struct tree tree = tree_of(fs);
	return tree_lookup(&tree, kernel->place.path, file, &error);
}

void gather_modules(struct gatherer *gatherer, struct kernel *kernel)
{
	struct module_question modules = {
		.wanted = with_root_driver(gatherer, &gatherer->questions->modules),
		.early = with_root_driver(gatherer, &gatherer->questions->early_modules),
		.everything = gatherer->questions->everything,
		.lvm = root_is_volume(gatherer),
	};
	struct initramfs_source *source = arena_alloc(gatherer->arena, sizeof(*source));
	bool has_initramfs = find_initramfs(gatherer, kernel, source);
	kernel_modules_find(&gatherer->tree, &modules, has_initramfs ? &source->reader : NULL,
	                    &gatherer->budget, gatherer->arena, kernel);
}

/* Everything asked of one kernel. */
static void judge_kernel(struct gatherer *gatherer, struct kernel *kernel)
{
	if (!kernel->version) {
		gather_note_gap(gatherer, "kernel-unreadable", &kernel->place, "%s could not be examined: %s",
		                kernel->place.path, kernel->reason);
		gather_sysctls(gatherer, kernel);
		return;
	}
	struct names symbols = gather_wanted_symbols(gatherer);
	struct tree_file *file = arena_alloc(gatherer->arena, sizeof(*file));
	bool opened = open_kernel(gatherer, kernel, file);
	struct reader image = opened ? part_of(file, kernel->offset, kernel->size) : (struct reader){ 0 };
	kernel_config_find(&gatherer->tree, kernel->version, opened ? &image : NULL, &kernel->place, &symbols,
	                   &gatherer->budget, gatherer->arena, &kernel->config);
	gather_modules(gatherer, kernel);
	gather_sysctls(gatherer, kernel);
}

/* Files set sysctls whatever kernel boots; with none to ask, its defaults are not known. */
static void gather_sysctls_of_files(struct gatherer *gatherer)
{
	struct kernel nobody = { 0 };
	gather_sysctls(gatherer, &nobody);
	for (size_t i = 0; i < nobody.sysctls.count; i++) {
		struct sysctl *sysctl = LIST_ADD(gatherer->arena, &gatherer->facts->sysctls);
		*sysctl = nobody.sysctls.items[i];
		if (sysctl->source != SYSCTL_KERNEL_DEFAULT)
			continue;
		sysctl->source = SYSCTL_UNKNOWN;
		sysctl->value = NULL;
		sysctl->effective = NULL;
		sysctl->reason = "no file sets it, and without a kernel its default is not known";
	}
}

void gather_kernels(struct gatherer *gatherer)
{
	add_kernels_of_menu(gatherer);
	add_kernels_of_tree(gatherer);
	if (gatherer->facts->kind == INPUT_TREE)
		add_kernels_of_configurations(gatherer);
	choose_kernels(gatherer);
	bool any = false;
	for (size_t i = 0; i < gatherer->facts->kernels.count; i++) {
		struct kernel *kernel = &gatherer->facts->kernels.items[i];
		any |= kernel->judged;
		if (kernel->judged)
			judge_kernel(gatherer, kernel);
	}
	if (!any)
		gather_sysctls_of_files(gatherer);
}
