#include "cmd/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define NANOSECONDS INT64_C(1000000000)

/* The input cannot be had: one sentence that says what to do. */
static bool explain_open(int cause, struct error *error)
{
	switch (cause) {
	case ENOENT:
	case ENOTDIR:
		return error_set(error, ERROR_NOT_FOUND, "there is no such file: check the path");
	case EACCES:
	case EPERM:
		return error_set(
			error, ERROR_IO,
			"permission denied: make it readable for this user, or run as one who may read it");
	case ENXIO:
	case ENODEV:
		return error_set(
			error, ERROR_IO,
			"it is a socket or a device that is not there: give a disk image or a block device");
	case ENOMEDIUM:
		return error_set(error, ERROR_IO, "there is no medium in this device");
	case ELOOP:
		return error_set(error, ERROR_IO,
		                 "its symbolic links lead in a circle: give the file itself");
	case EBADF:
		return error_set(error, ERROR_IO, "the standard input is closed");
	default:
		return error_set(error, ERROR_IO, "it cannot be opened: %s", strerror(cause));
	}
}

static bool check_kind(int descriptor, enum input_source *source, struct error *error)
{
	struct stat status;
	if (fstat(descriptor, &status) != 0)
		return error_set(error, ERROR_IO, "it cannot be examined: %s", strerror(errno));
	switch (status.st_mode & S_IFMT) {
	case S_IFREG:
	case S_IFBLK:
		*source = SOURCE_FILE;
		return true;
	case S_IFIFO:
	case S_IFSOCK: /* as the standard input: open() gives none */
		*source = SOURCE_STREAM;
		return true;
	case S_IFDIR:
		*source = SOURCE_DIRECTORY;
		return true;
	case S_IFCHR:
		return error_set(error, ERROR_UNSUPPORTED,
		                 isatty(descriptor)
		                         ? "it is a terminal: give a disk image, or send one through a pipe"
		                         : "it is a character device: give a disk image or a block device");
	default:
		return error_set(error, ERROR_UNSUPPORTED,
		                 "it is no file: give a disk image or a block device");
	}
}

/* A FIFO has nothing to read, and no end, until someone writes to it: waits as open() would. */
static void wait_for_writer(int descriptor)
{
	struct pollfd wanted = { .fd = descriptor, .events = POLLIN };
	while (poll(&wanted, 1, -1) < 0 && errno == EINTR)
		;
	fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
}

/* O_NONBLOCK: some devices would hang in open(); files and disks do not mind. */
int input_open(const char *name, enum input_source *source, struct error *error)
{
	bool is_standard = str_equal(name, "-");
	int descriptor = is_standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
	                             : open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (descriptor < 0) {
		explain_open(errno, error);
		return -1;
	}
	if (!check_kind(descriptor, source, error)) {
		close(descriptor);
		return -1;
	}
	if (*source == SOURCE_STREAM)
		wait_for_writer(descriptor);
	return descriptor;
}

struct input_identity input_identify(int descriptor)
{
	struct stat status;
	struct input_identity identity = { 0 };
	if (fstat(descriptor, &status) != 0)
		return identity;
	identity.device = status.st_dev;
	identity.inode = status.st_ino;
	if (S_ISREG(status.st_mode)) {
		identity.size = (uint64_t)status.st_size;
		identity.modified = (int64_t)status.st_mtim.tv_sec * NANOSECONDS + status.st_mtim.tv_nsec;
	}
	return identity;
}

bool input_is_same(const struct input_identity *a, const struct input_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified == b->modified;
}

int input_open_machine(struct error *error)
{
	int descriptor = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		explain_open(errno, error);
	return descriptor;
}
