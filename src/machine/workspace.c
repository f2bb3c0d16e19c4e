#include "machine/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/unnamed.h"
#include "machine/ovmf.h"
#include "machine/qcow2_empty.h"

/* Of the machine's flash at most: 64 MiB on arm64. */
#define VARS_MOST ((size_t)64 << 20)

static const char *folder_name(void)
{
	const char *wanted = getenv("TMPDIR");
	return wanted && *wanted ? wanted : "/var/tmp";
}

/* Every failure here has the same remedy. */
static bool no_room(struct error *error, const char *what, const char *cause)
{
	return error_set(error, ERROR_IO,
	                 "%s cannot be made in %s (%s): set TMPDIR to a folder with room that can be written",
	                 what, folder_name(), cause);
}

static bool make_file(int *out, const char *what, struct error *error)
{
	*out = unnamed_file(folder_name());
	return *out >= 0 || no_room(error, what, strerror(errno));
}

/* A disk of zeros that takes no room, open for reading alone: the machine finds its descriptors by that. */
static bool make_zeros(int *out, const char *what, struct error *error)
{
	int file;
	if (!make_file(&file, what, error))
		return false;
	if (ftruncate(file, (off_t)WORKSPACE_DISK) == 0)
		*out = unnamed_reopen(file);
	int failure = errno;
	close(file);
	return *out >= 0 || no_room(error, what, strerror(failure));
}

/* With holes for zeros, of which arm64's variables are mostly made. */
static bool copy(int from, int to, size_t most)
{
	uint8_t bytes[1 << 16];
	size_t done = 0;
	for (;;) {
		ssize_t got = read(from, bytes, sizeof(bytes));
		if (got == 0)
			return ftruncate(to, (off_t)done) == 0;
		if (got < 0 && errno == EINTR)
			continue;
		if (got > 0 && (size_t)got > most - done)
			errno = EFBIG;
		if (got < 0 || (size_t)got > most - done)
			return false;
		if (!span_is_zero(span_of(bytes, (size_t)got)) &&
		    pwrite(to, bytes, (size_t)got, (off_t)done) != got)
			return false;
		done += (size_t)got;
	}
}

static bool copy_vars(const struct qemu *qemu, int *out, struct error *error)
{
	if (!qemu->ovmf_code || !qemu->ovmf_vars)
		return error_set(error, ERROR_UNSUPPORTED, "%s", ovmf_missing(qemu->arch));
	int from = open(qemu->ovmf_vars, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return error_set(error, ERROR_IO, "the firmware's %s cannot be read: %s", qemu->ovmf_vars,
		                 strerror(errno));
	errno = 0;
	bool made = make_file(out, "the copy of the firmware's variables", error);
	if (made && !copy(from, *out, VARS_MOST))
		made = errno == EFBIG
		               ? error_set(error, ERROR_UNSUPPORTED,
		                           "the firmware's %s is larger than %llu MiB: it is none for this "
		                           "machine",
		                           qemu->ovmf_vars, (unsigned long long)(VARS_MOST >> 20))
		               : no_room(error, "the copy of the firmware's variables",
		                         errno ? strerror(errno) : "it was cut short");
	close(from);
	return made;
}

static bool has_room(int descriptor, struct error *error)
{
	struct statvfs status;
	/* Where it cannot be known the writes will tell. */
	if (fstatvfs(descriptor, &status) != 0 || status.f_frsize == 0)
		return true;
	if (status.f_bavail >= WORKSPACE_ROOM / status.f_frsize)
		return true;
	return error_set(error, ERROR_IO,
	                 "there is not enough room in %s for what the guest writes (%llu MiB are free, %llu "
	                 "are wanted): set TMPDIR to a folder with more",
	                 folder_name(), (unsigned long long)(status.f_bavail * status.f_frsize >> 20),
	                 (unsigned long long)(WORKSPACE_ROOM >> 20));
}

static bool make_overlay(uint64_t size, int *out, struct error *error)
{
	struct error cause;
	if (!make_file(out, "the overlay for what the guest writes", error))
		return false;
	if (!qcow2_write_empty(*out, size, &cause)) {
		if (cause.code == ERROR_IO)
			return no_room(error, "the overlay for what the guest writes", cause.message);
		*error = cause;
		return false;
	}
	return has_room(*out, error);
}

bool workspace_make(const struct machine_request *request, struct workspace *out, struct error *error)
{
	*out = (struct workspace){ -1, -1, -1, -1 };
	uint64_t size = request->disk >= 0 ? request->disk_size : WORKSPACE_DISK;
	if (make_overlay(size, &out->overlay, error) && make_zeros(&out->spare, "the spare disk", error) &&
	    (request->disk >= 0 || make_zeros(&out->empty, "the empty disk", error)) &&
	    (request->firmware != MACHINE_UEFI || copy_vars(request->qemu, &out->ovmf_vars, error)))
		return true;
	workspace_free(out);
	return false;
}

void workspace_free(struct workspace *workspace)
{
	const int descriptors[] = { workspace->overlay, workspace->ovmf_vars, workspace->spare,
		                    workspace->empty };
	for (size_t i = 0; i < ARRAY_SIZE(descriptors); i++)
		if (descriptors[i] >= 0)
			close(descriptors[i]);
	*workspace = (struct workspace){ -1, -1, -1, -1 };
}
