// Paths: every kind of link, "..", mounts and their edges.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/tree.h"
#include "images.h"

static const char root_script[] =
	"mkdir -p r/etc r/usr/lib r/usr/share r/boot/efi r/a/b/c r/var; cd r\n"
	"echo debian > usr/lib/os-release; ln -s ../usr/lib/os-release etc/os-release\n"
	"ln -s usr/lib lib; ln -s /usr/lib abs; ln -s lib/ lib-slash; ln -s a/b/c/../.. to-a\n"
	"ln -s ../../../../../../usr/lib/os-release escape; ln -s /../../etc/os-release abs-escape\n"
	"ln -s loop loop; ln -s loop-b loop-a; ln -s loop-a loop-b; ln -s nowhere dangling; ln -s / root\n"
	"ln -s /boot/efi/EFI/BOOT esp; ln -s ../.. a/b/up\n"
	"ln -s f chain-0; i=0; while [ $i -lt 41 ]; do ln -s chain-$i chain-$((i+1)); i=$((i+1)); done; echo "
	"f > f\n"
	"echo hidden > boot/efi/hidden; echo z > var/z; echo A > var/A; echo b > var/b; printf x > 'var/10'; "
	"mkfifo var/fifo\n"
	"ln -s $(printf 't%.0s' $(seq 1000))/../f long\n"
	"cd ..; truncate -s 4M image; mke2fs -q -t ext4 -d r image";

static const char esp_script[] = "truncate -s 2M image; mkfs.vfat image; mmd -i image ::EFI ::EFI/BOOT\n"
				 "echo boot > f; mcopy -i image f ::EFI/BOOT/BOOTX64.EFI";

struct world {
	struct image root, esp;
	struct tree tree;
};

static void must_open(struct image *image)
{
	struct error error;
	assert_true(image->known);
	if (!fs_open(&image->fs, &error))
		fail_msg("%s", error.message);
}

static int make_world(void **state)
{
	struct world *world = xmalloc(sizeof(*world));
	struct error error;
	*world = (struct world){ 0 };
	image_make(&world->root, root_script);
	image_make(&world->esp, esp_script);
	must_open(&world->root);
	must_open(&world->esp);
	world->esp.fs.partition = 15;
	world->tree = tree_of(&world->root.fs);
	assert_true(tree_mount(&world->tree, "/boot/efi", &world->esp.fs, &error));
	*state = world;
	return 0;
}

static int free_world(void **state)
{
	struct world *world = *state;
	image_free(&world->root);
	image_free(&world->esp);
	free(world);
	return 0;
}

static void assert_leads_to(const struct tree *tree, const char *path, const char *wanted)
{
	struct tree_file file;
	struct error error;
	if (!tree_lookup(tree, path, &file, &error))
		fail_msg("%s: %s", path, error.message);
	assert_string_equal(file.path, wanted);
}

static void assert_fails(const struct tree *tree, const char *path, enum error_code code)
{
	struct tree_file file;
	struct error error;
	if (tree_lookup(tree, path, &file, &error))
		fail_msg("%s leads to %s", path, file.path);
	if (error.code != code)
		fail_msg("%s: %s", path, error.message);
}

static void test_paths(void **state)
{
	const struct tree *tree = &((struct world *)*state)->tree;
	static const char *const rows[][2] = {
		{ "/", "/" },
		{ "//", "/" },
		{ "/..", "/" },
		{ "/../../usr/lib", "/usr/lib" },
		{ "usr/lib", "/usr/lib" },
		{ "/usr//lib/./os-release", "/usr/lib/os-release" },
		{ "/usr/lib/", "/usr/lib" },
		{ "/usr/share/../lib", "/usr/lib" },
		{ "/etc/os-release", "/usr/lib/os-release" },
		{ "/lib/os-release", "/usr/lib/os-release" },
		{ "/abs/os-release", "/usr/lib/os-release" },
		{ "/lib-slash/os-release", "/usr/lib/os-release" },
		{ "/to-a/b", "/a/b" },
		{ "/a/b/up/etc/os-release", "/usr/lib/os-release" },
		{ "/escape", "/usr/lib/os-release" },
		{ "/abs-escape", "/usr/lib/os-release" },
		{ "/root/root/root/lib", "/usr/lib" },
		{ "/chain-39", "/f" },
		{ "/abs/../share", "/usr/share" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_leads_to(tree, rows[i][0], rows[i][1]);
}

static void test_failures(void **state)
{
	const struct tree *tree = &((struct world *)*state)->tree;
	char endless[TREE_PATH_MAX + 10];
	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';

	assert_fails(tree, "", ERROR_NOT_FOUND);
	assert_fails(tree, "/nowhere", ERROR_NOT_FOUND);
	assert_fails(tree, "/dangling", ERROR_NOT_FOUND);
	assert_fails(tree, "/f/x", ERROR_NOT_FOUND);
	assert_fails(tree, "/f/", ERROR_NOT_FOUND);
	assert_fails(tree, "/f/..", ERROR_NOT_FOUND);
	assert_fails(tree, "/f/.", ERROR_NOT_FOUND);
	assert_fails(tree, "/long", ERROR_NOT_FOUND);
	assert_fails(tree, "/loop", ERROR_CORRUPT);
	assert_fails(tree, "/loop-a", ERROR_CORRUPT);
	assert_fails(tree, "/chain-40", ERROR_CORRUPT);
	assert_fails(tree, endless, ERROR_NOT_FOUND);
	endless[TREE_PATH_MAX - 1] = '\0';
	assert_fails(tree, endless, ERROR_CORRUPT);
	assert_true(tree_exists(tree, "/f"));
	assert_false(tree_exists(tree, "/dangling"));
}

static void test_last_link(void **state)
{
	const struct tree *tree = &((struct world *)*state)->tree;
	struct tree_file file;
	struct error error;
	char target[64];
	assert_true(tree_lookup_link(tree, "/lib", &file, &error));
	assert_int_equal(file.node.type, NODE_SYMLINK);
	assert_string_equal(file.path, "/lib");
	assert_true(tree_lookup_link(tree, "/lib/", &file, &error));
	assert_string_equal(file.path, "/usr/lib");
	assert_true(tree_lookup_link(tree, "/abs/../../etc/os-release", &file, &error));
	assert_string_equal(file.path, "/etc/os-release");

	assert_true(tree_read_link(tree, "/dangling", target, sizeof(target)));
	assert_string_equal(target, "nowhere");
	assert_false(tree_read_link(tree, "/f", target, sizeof(target)));
	assert_false(tree_read_link(tree, "/nowhere", target, sizeof(target)));
	assert_false(tree_read_link(tree, "/long", target, sizeof(target)));
}

static void test_mounts(void **state)
{
	const struct tree *tree = &((struct world *)*state)->tree;
	struct tree_file file;
	struct error error;
	assert_leads_to(tree, "/boot/efi", "/boot/efi");
	assert_leads_to(tree, "/boot/efi/..", "/boot");
	assert_leads_to(tree, "/boot/efi/../../etc/os-release", "/usr/lib/os-release");
	assert_leads_to(tree, "/esp/bootx64.efi", "/boot/efi/EFI/BOOT/bootx64.efi");
	assert_leads_to(tree, "/boot/efi/efi/boot/../../../..", "/");
	assert_fails(tree, "/boot/efi/hidden", ERROR_NOT_FOUND);
	assert_fails(tree, "/boot/EFI/EFI", ERROR_NOT_FOUND);
	assert_true(tree_lookup(tree, "/boot/efi/EFI", &file, &error));
	assert_int_equal(file.node.fs->partition, 15);
}

static void test_mount_edges(void **state)
{
	struct world *world = *state;
	struct tree tree = tree_of(&world->root.fs);
	struct filesystem closed = { .type = "swap" };
	struct error error;
	assert_false(tree_mount(&tree, "relative", &world->esp.fs, &error));
	assert_int_equal(error.code, ERROR_USAGE);
	assert_false(tree_mount(&tree, "/", &world->esp.fs, &error));

	/* The directory of a mount is made at boot. */
	assert_true(tree_mount(&tree, "/esp2/", &world->esp.fs, &error));
	assert_leads_to(&tree, "/esp2/EFI", "/esp2/EFI");
	/* The last mount at a path hides those before it; a mount in a mount. */
	assert_true(tree_mount(&tree, "/esp2", &world->root.fs, &error));
	assert_leads_to(&tree, "/esp2/usr/lib", "/esp2/usr/lib");
	assert_true(tree_mount(&tree, "/esp2/usr", &world->esp.fs, &error));
	assert_leads_to(&tree, "/esp2/usr/efi/..", "/esp2/usr");
	assert_leads_to(&tree, "/esp2/a", "/esp2/a");
	/* Absolute links start at the root of the tree and not at that of their file system. */
	assert_leads_to(&tree, "/esp2/abs", "/usr/lib");

	/* Nor need its parents be there, which have no names of their own. */
	assert_true(tree_mount(&tree, "/made/by/init", &world->esp.fs, &error));
	assert_leads_to(&tree, "/made/by/init/EFI", "/made/by/init/EFI");
	assert_leads_to(&tree, "/made/by/../by", "/made/by");
	assert_fails(&tree, "/made/by/in", ERROR_NOT_FOUND);
	assert_fails(&tree, "/mad", ERROR_NOT_FOUND);
	struct arena arena = { 0 };
	struct names names;
	assert_true(tree_names(&tree, "/made/by", &arena, &names, &error));
	assert_int_equal(names.count, 0);
	arena_free(&arena);

	assert_true(tree_mount(&tree, "/closed", &closed, &error));
	assert_fails(&tree, "/closed", ERROR_UNSUPPORTED);
	while (tree.mount_count < TREE_MOUNTS_MAX)
		assert_true(tree_mount(&tree, "/more", &world->esp.fs, &error));
	assert_false(tree_mount(&tree, "/more", &world->esp.fs, &error));
}

/* What a subvolume is to the kernel: one directory of a file system, with the names in it and none above. */
static void test_directories_as_roots(void **state)
{
	struct world *world = *state;
	struct tree whole = tree_of(&world->root.fs);
	struct tree_file usr, etc;
	struct error error;
	assert_true(tree_lookup(&whole, "/usr", &usr, &error));
	assert_true(tree_lookup(&whole, "/etc", &etc, &error));
	struct tree tree = tree_of_directory(&world->root.fs, &usr.node);
	assert_leads_to(&tree, "/lib/os-release", "/lib/os-release");
	assert_leads_to(&tree, "/../../lib", "/lib");
	assert_fails(&tree, "/usr", ERROR_NOT_FOUND);
	assert_true(tree_mount_directory(&tree, "/lib/more", &etc.node, &error));
	assert_fails(&tree, "/lib/more/usr", ERROR_NOT_FOUND);
	assert_true(tree_exists(&tree, "/lib/more"));
	assert_leads_to(&tree, "/lib/more/..", "/lib");
}

static void test_load(void **state)
{
	struct world *world = *state;
	struct arena arena = { 0 };
	struct span content;
	struct place place;
	struct error error;
	assert_true(tree_load(&world->tree, "/etc/os-release", 100, &arena, &content, &place, &error));
	assert_true(span_equal_text(content, "debian\n"));
	assert_int_equal(content.data[content.size], 0);
	assert_string_equal(place.path, "/usr/lib/os-release");
	assert_int_equal(place.partition, 7);
	assert_false(tree_load(&world->tree, "/etc/os-release", 3, &arena, &content, NULL, &error));
	assert_int_equal(error.code, ERROR_LIMIT);
	assert_non_null(strstr(error.message, "/usr/lib/os-release"));
	assert_false(tree_load(&world->tree, "/etc", 100, &arena, &content, NULL, &error));
	assert_int_equal(error.code, ERROR_NOT_FOUND);
	assert_false(tree_load(&world->tree, "/var/fifo", 100, &arena, &content, NULL, &error));
	arena_free(&arena);
}

static void test_names(void **state)
{
	struct world *world = *state;
	struct arena arena = { 0 };
	struct names names;
	struct error error;
	static const char *const wanted[] = { "10", "A", "b", "fifo", "z" };
	assert_true(tree_names(&world->tree, "/var", &arena, &names, &error));
	assert_int_equal(names.count, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < names.count; i++)
		assert_string_equal(names.items[i], wanted[i]);
	static const char *const empty[] = { "/nowhere", "/f", "/f/x", "/usr/share", "/dangling" };
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		assert_true(tree_names(&world->tree, empty[i], &arena, &names, &error));
		assert_int_equal(names.count, 0);
	}
	assert_false(tree_names(&world->tree, "/loop", &arena, &names, &error));
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),       cmocka_unit_test(test_failures),
		cmocka_unit_test(test_last_link),   cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_mount_edges), cmocka_unit_test(test_directories_as_roots),
		cmocka_unit_test(test_load),        cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, make_world, free_world);
}
