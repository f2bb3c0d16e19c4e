// A node is an entry of a table: its parent and its name, from which its path is put together whenever it is
// opened. So the depth of a tree and the number of its nodes cost memory, but no descriptors. Between a
// lookup and a read the host may put another file in a file's place: device and inode number tell.
#include "fs/hostdir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"

#define PATH_SIZE   4096
#define BUCKETS     4096u
#define OPENED_MOST 8 /* an initramfs of several files is read from all of them in turn */
#define NAMES_SIZE  ((size_t)32 << 10)

/* More than any file of /proc or /sys that anybody asks for. */
#define MEASURED_MOST  ((uint64_t)16 << 20)
#define MEASURED_CHUNK ((size_t)64 << 10)

/* Something below the directory that was found. */
struct entry {
	uint32_t parent; /* index; the root is its own */
	uint32_t next;   /* 1 + index of the next entry of its bucket */
	const char *name;
};

/* A file that is being read. */
struct opened {
	uint32_t entry; /* 0, the root: none */
	int descriptor;
	uint64_t used; /* the clock when it was read last */
};

struct hostdir {
	int root; /* borrowed */
	bool has_openat2;
	LIST(struct entry) entries; /* [0] is the root */
	uint32_t buckets[BUCKETS];  /* 1 + index of an entry */
	struct opened opened[OPENED_MOST];
	uint64_t clock;
	struct hostdir_use use;
	bool of_machine; /* see hostdir_of_machine() */
};

/* The path of `name` (NULL: of the entry itself) as openat() wants it; false when it is too long for that. */
static bool path_of(const struct hostdir *host, uint32_t entry, const char *name, char path[PATH_SIZE])
{
	size_t begin = PATH_SIZE - 1;
	path[begin] = '\0';
	while (name || entry != 0) {
		const char *part = name ? name : host->entries.items[entry].name;
		size_t length = strlen(part), slash = path[begin] != '\0';
		if (length + slash > begin)
			return false;
		if (slash)
			path[--begin] = '/';
		begin -= length;
		memcpy(path + begin, part, length);
		if (!name)
			entry = host->entries.items[entry].parent;
		name = NULL;
	}
	if (path[begin] == '\0')
		path[--begin] = '.';
	memmove(path, path + begin, PATH_SIZE - begin);
	return true;
}

static int open_by_openat2(const struct hostdir *host, const char *path, int flags)
{
	const struct open_how how = {
		.flags = (uint64_t)(unsigned)flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long descriptor;
	do {
		descriptor = syscall(SYS_openat2, host->root, path, &how, sizeof(how));
	} while (descriptor < 0 && errno == EINTR);
	return (int)descriptor;
}

/* Before Linux 5.6: one component after the other, none of which may be a link. */
static int open_by_steps(const struct hostdir *host, const char *path, int flags)
{
	char step[NAME_MAX + 1];
	int from = host->root;
	for (;;) {
		size_t length = strcspn(path, "/");
		if (length > NAME_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(step, path, length);
		step[length] = '\0';
		path += length + (path[length] == '/');
		int next = openat(from, step, *path ? O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC : flags);
		int failure = errno;
		if (from != host->root)
			close(from);
		errno = failure;
		if (next < 0 || !*path)
			return next;
		from = next;
	}
}

static int open_beneath(const struct hostdir *host, const char *path, int flags)
{
	flags |= O_NOFOLLOW | O_CLOEXEC;
	return host->has_openat2 ? open_by_openat2(host, path, flags) : open_by_steps(host, path, flags);
}

/* What is there and cannot be read: the first is remembered, whatever the one who reads makes of it. */
static bool failed(const struct filesystem *fs, const char *path, enum error_code code, const char *why,
                   struct error *error)
{
	struct hostdir *host = fs->state;
	if (!host->use.first_failed) {
		host->use.first_failed = arena_printf(fs->arena, "/%s", path);
		host->use.failure = arena_strdup(fs->arena, why);
	}
	return error_set(error, code, "%s", why);
}

static bool failed_node(const struct node *node, enum error_code code, const char *why, struct error *error)
{
	char path[PATH_SIZE];
	if (!path_of(node->fs->state, (uint32_t)node->driver[0], NULL, path))
		path[0] = '\0';
	return failed(node->fs, path, code, why, error);
}

/* Why something cannot be opened or read; what this user may not do is remembered. */
static bool refuse(const struct filesystem *fs, const char *path, int failure, struct error *error)
{
	struct hostdir *host = fs->state;
	switch (failure) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return error_set(error, ERROR_NOT_FOUND, "no such file or directory");
	case EACCES:
	case EPERM:
		if (host->use.denied++ == 0)
			host->use.first_denied = arena_printf(fs->arena, "/%s", path);
		return error_set(error, ERROR_IO, "permission denied: %s",
		                 host->of_machine ? "run as root" : HOSTDIR_DENIED);
	default:
		return failed(fs, path, ERROR_IO, strerrordesc_np(failure), error);
	}
}

static uint32_t *bucket_of(struct hostdir *host, uint32_t parent, const char *name)
{
	uint32_t hash = 2166136261u ^ parent; /* FNV-1a */
	for (const char *at = name; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	return &host->buckets[hash % BUCKETS];
}

/* The index of an entry, which is new or was found before. */
static bool entry_of(const struct filesystem *fs, uint32_t parent, const char *name, uint32_t *out,
                     struct error *error)
{
	struct hostdir *host = fs->state;
	uint32_t *bucket = bucket_of(host, parent, name);
	for (uint32_t at = *bucket; at; at = host->entries.items[at - 1].next) {
		const struct entry *entry = &host->entries.items[at - 1];
		*out = at - 1;
		if (entry->parent == parent && str_equal(entry->name, name))
			return true;
		if (!budget_step(fs->budget, 1, "the files of the directory", error))
			return false;
	}
	*LIST_ADD(fs->arena, &host->entries) =
		(struct entry){ .parent = parent, .next = *bucket, .name = arena_strdup(fs->arena, name) };
	*bucket = (uint32_t)host->entries.count;
	*out = *bucket - 1;
	return true;
}

static enum node_type type_of(mode_t mode)
{
	return S_ISREG(mode)   ? NODE_FILE
	       : S_ISDIR(mode) ? NODE_DIRECTORY
	       : S_ISLNK(mode) ? NODE_SYMLINK
	                       : NODE_OTHER;
}

static struct node node_of(const struct filesystem *fs, uint32_t entry, const struct stat *status)
{
	return (struct node){
		.fs = fs,
		.inode = status->st_ino,
		.type = type_of(status->st_mode),
		.mode = status->st_mode & 07777,
		.uid = status->st_uid,
		.gid = status->st_gid,
		.size = (uint64_t)status->st_size,
		.modified = status->st_mtime,
		.driver = { entry, status->st_dev },
	};
}

static bool find(const struct filesystem *fs, uint32_t parent, const char *name, struct stat *status,
                 struct error *error)
{
	const struct hostdir *host = fs->state;
	char path[PATH_SIZE];
	if (!path_of(host, parent, name, path))
		return error_set(error, ERROR_NOT_FOUND, "no such file or directory");
	int descriptor = open_beneath(host, path, O_PATH);
	if (descriptor < 0)
		return refuse(fs, path, errno, error);
	int failed = fstat(descriptor, status), failure = errno;
	close(descriptor);
	return failed == 0 || refuse(fs, path, failure, error);
}

static bool hostdir_root(const struct filesystem *fs, struct node *out, struct error *error)
{
	struct stat status;
	if (!find(fs, 0, NULL, &status, error))
		return false;
	*out = node_of(fs, 0, &status);
	return true;
}

/*
 * Files of /proc have a size of 0, those of /sys one of a page, and neither has blocks on a disk: the end is
 * where reading ends. What cannot be read gets a size all the same, so that reading it says why.
 */
static uint64_t measured(const struct hostdir *host, uint32_t parent, const char *name)
{
	char path[PATH_SIZE];
	uint64_t size = 0;
	ssize_t got = -1;
	int descriptor = path_of(host, parent, name, path)
	                         ? open_beneath(host, path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
	                         : -1;
	uint8_t *chunk = xmalloc(MEASURED_CHUNK);
	while (descriptor >= 0 && size < MEASURED_MOST &&
	       (got = pread(descriptor, chunk, MEASURED_CHUNK, (off_t)size)) > 0)
		size += (uint64_t)got;
	free(chunk);
	if (descriptor >= 0)
		close(descriptor);
	return got < 0 ? 1 : size;
}

static bool hostdir_lookup(const struct node *directory, const char *name, struct node *out,
                           struct error *error)
{
	struct stat status;
	uint32_t entry;
	if (strlen(name) > NAME_MAX)
		return error_set(error, ERROR_NOT_FOUND, "no such file or directory");
	if (!find(directory->fs, (uint32_t)directory->driver[0], name, &status, error) ||
	    !entry_of(directory->fs, (uint32_t)directory->driver[0], name, &entry, error))
		return false;
	*out = node_of(directory->fs, entry, &status);
	const struct hostdir *host = directory->fs->state;
	if (host->of_machine && out->type == NODE_FILE && status.st_blocks == 0)
		out->size = measured(host, (uint32_t)directory->driver[0], name);
	return true;
}

/* Opens a node again, which must still be what it was. The caller closes. */
static bool reopen(const struct node *node, int flags, int *out, struct error *error)
{
	const struct hostdir *host = node->fs->state;
	char path[PATH_SIZE];
	struct stat status;
	if (!path_of(host, (uint32_t)node->driver[0], NULL, path))
		return error_set(error, ERROR_NOT_FOUND, "no such file or directory");
	/* First without opening it: a device does things when it is opened, a FIFO waits. */
	int there = open_beneath(host, path, O_PATH), failure = errno;
	if (there < 0)
		return refuse(node->fs, path, failure, error);
	bool same = fstat(there, &status) == 0 && status.st_ino == node->inode &&
	            status.st_dev == node->driver[1] && type_of(status.st_mode) == node->type;
	close(there);
	int descriptor = same ? open_beneath(host, path, flags) : -1;
	failure = errno;
	if (same && descriptor < 0)
		return refuse(node->fs, path, failure, error);
	/* It may have been replaced between the two. */
	if (!same || fstat(descriptor, &status) != 0 || status.st_ino != node->inode ||
	    status.st_dev != node->driver[1]) {
		if (descriptor >= 0)
			close(descriptor);
		return failed_node(node, ERROR_IO, "it was replaced while the directory was read", error);
	}
	*out = descriptor;
	return true;
}

/*
 * Gives the names of one getdents64() buffer, as the kernel lays them out:
 *   0 u64 inode   8 i64 offset   16 u16 length of the record   18 u8 type   19 the name and a NUL
 */
static bool give_names(const struct filesystem *fs, struct span records, fs_list_fn *each, void *context,
                       bool *more, struct error *error)
{
	while (*more && records.size > 0) {
		uint16_t length;
		memcpy(&length, records.data + 16, sizeof(length));
		const char *name = (const char *)records.data + 19;
		if (!budget_step(fs->budget, 1, "the names in a directory", error))
			return false;
		if (!str_equal(name, ".") && !str_equal(name, ".."))
			*more = each(context, name);
		records = span_from(records, length);
	}
	return true;
}

static bool hostdir_list(const struct node *directory, fs_list_fn *each, void *context, struct error *error)
{
	int descriptor;
	bool sound = true, more = true;
	if (!reopen(directory, O_RDONLY | O_DIRECTORY, &descriptor, error))
		return false;
	uint8_t *buffer = xmalloc(NAMES_SIZE);
	while (sound && more) {
		long got = syscall(SYS_getdents64, descriptor, buffer, NAMES_SIZE);
		if (got < 0)
			sound = failed_node(directory, ERROR_IO, strerrordesc_np(errno), error);
		if (got <= 0)
			break;
		sound = give_names(directory->fs, span_of(buffer, (size_t)got), each, context, &more, error);
	}
	free(buffer);
	close(descriptor);
	return sound;
}

static bool hostdir_read_link(const struct node *link, char *target, size_t capacity, struct error *error)
{
	int descriptor;
	if (!reopen(link, O_PATH, &descriptor, error))
		return false;
	ssize_t length = readlinkat(descriptor, "", target, capacity);
	int failure = errno;
	close(descriptor);
	if (length < 0)
		return failed_node(link, ERROR_IO, strerrordesc_np(failure), error);
	if ((size_t)length >= capacity)
		return error_set(error, ERROR_CORRUPT, "the link's target is longer than %zu bytes",
		                 capacity - 1);
	target[length] = '\0';
	return true;
}

/* The file's descriptor: open already, or in the place of the one that was not read for longest. */
static bool open_file(const struct node *file, int *out, struct error *error)
{
	struct hostdir *host = file->fs->state;
	struct opened *oldest = &host->opened[0];
	for (size_t i = 0; i < OPENED_MOST; i++) {
		struct opened *opened = &host->opened[i];
		if (opened->entry != 0 && opened->entry == file->driver[0]) {
			opened->used = ++host->clock;
			*out = opened->descriptor;
			return true;
		}
		if (opened->used < oldest->used)
			oldest = opened;
	}
	if (oldest->entry != 0)
		close(oldest->descriptor);
	*oldest = (struct opened){ 0 };
	if (!reopen(file, O_RDONLY | O_NONBLOCK | O_NOCTTY, out, error))
		return false;
	*oldest = (struct opened){ (uint32_t)file->driver[0], *out, ++host->clock };
	return true;
}

static bool hostdir_read(const struct node *file, uint64_t offset, void *buffer, size_t length,
                         struct error *error)
{
	struct hostdir *host = file->fs->state;
	uint8_t *to = buffer;
	int descriptor;
	if (!open_file(file, &descriptor, error))
		return false;
	while (length > 0) {
		ssize_t got = pread(descriptor, to, length, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return failed_node(file, ERROR_IO, strerrordesc_np(errno), error);
		if (got == 0)
			return failed_node(file, ERROR_TRUNCATED, "it shrank while it was read", error);
		host->use.bytes_read += (uint64_t)got;
		to += got;
		offset += (uint64_t)got;
		length -= (size_t)got;
	}
	return true;
}

static void hostdir_close(struct filesystem *fs)
{
	struct hostdir *host = fs->state;
	for (size_t i = 0; i < OPENED_MOST; i++)
		if (host->opened[i].entry != 0)
			close(host->opened[i].descriptor);
	free(host);
}

static const struct fs_driver hostdir_driver = {
	.name = "directory",
	.close = hostdir_close,
	.root = hostdir_root,
	.lookup = hostdir_lookup,
	.list = hostdir_list,
	.read_link = hostdir_read_link,
	.read = hostdir_read,
};

bool hostdir_open(int directory, struct budget *budget, struct arena *arena, struct filesystem *fs,
                  struct error *error)
{
	struct node root;
	struct hostdir *host = xmalloc(sizeof(*host));
	*host = (struct hostdir){ .root = directory, .has_openat2 = true };
	*LIST_ADD(arena, &host->entries) = (struct entry){ .name = "" };
	*fs = (struct filesystem){
		.driver = &hostdir_driver, .budget = budget, .arena = arena, .state = host
	};
	int probe = open_beneath(host, ".", O_PATH);
	host->has_openat2 = probe >= 0;
	if (probe >= 0)
		close(probe);
	bool found = hostdir_root(fs, &root, error);
	if (found && root.type != NODE_DIRECTORY)
		found = error_set(error, ERROR_UNSUPPORTED, "it is no directory");
	if (!found)
		fs_close(fs);
	return found;
}

const struct hostdir_use *hostdir_use(const struct filesystem *fs)
{
	const struct hostdir *host = fs->state;
	return &host->use;
}

void hostdir_of_machine(struct filesystem *fs)
{
	struct hostdir *host = fs->state;
	host->of_machine = true;
}
