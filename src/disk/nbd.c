// A disk behind a connected NBD socket, through libnbd. The server is as untrusted as the image that it
// reads.
//
// Readers come back to the same places, some bytes at a time, and a question to the server costs more than
// its answer: what is read are aligned pieces, which are kept.
#include "disk/nbd.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <libnbd.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "disk/container.h"

#define PIECE_SIZE   ((size_t)64 << 10) /* the usual cluster: a compressed one is unpacked whole each time */
#define PIECE_COUNT  128
#define REQUEST_MOST 16 /* pieces */

/* A server that says nothing for so long hangs. The first answer takes no reading. */
#define CONNECT_MILLISECONDS 10000
#define READ_MILLISECONDS    60000

#define LIBRARY "libnbd.so.0"

/* clang-format off */
#define FUNCTIONS(USE) \
	USE(create) USE(close) USE(get_error) USE(get_errno) USE(get_size) USE(poll) \
	USE(aio_connect_socket) USE(aio_is_connecting) USE(aio_is_ready) USE(aio_pread) USE(aio_command_completed)
/* clang-format on */

#define DECLARE(name) __typeof__(nbd_##name) *name;
static struct {
	void *handle; /* of the library; NULL: not loaded */
	FUNCTIONS(DECLARE)
} library;

struct piece {
	uint64_t number; /* its offset in pieces */
	uint64_t used;   /* the clock when last used; 0: never */
	uint8_t *bytes;  /* owned; NULL: empty */
};

struct nbd {
	struct nbd_handle *handle;
	struct disk *disk;
	uint64_t clock;
	struct piece pieces[PIECE_COUNT];
	uint8_t answer[REQUEST_MOST * PIECE_SIZE];
};

bool nbd_library_load(struct error *error)
{
	if (library.handle)
		return true;
	void *handle = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
	if (!handle)
		return error_set(error, ERROR_UNSUPPORTED,
		                 "reading it needs " LIBRARY ", which cannot be loaded: install the package "
		                 "libnbd0 (Debian, Ubuntu) or libnbd (Fedora, Alpine)");
	bool complete = true;
#define FIND(name)                                                                                           \
	*(void **)(void *)&library.name = dlsym(handle, "nbd_" #name);                                       \
	complete = complete && library.name;
	FUNCTIONS(FIND)
	if (!complete) {
		dlclose(handle);
		return error_set(error, ERROR_UNSUPPORTED,
		                 "reading it needs a newer " LIBRARY " than the one that is installed");
	}
	library.handle = handle;
	return true;
}

static bool lost(struct error *error)
{
	return error_set(error, ERROR_IO, "qemu-nbd, which reads the image, is gone or answers nonsense: %s",
	                 library.get_error());
}

/* Lets the library work until it has something new; false when the server is silent, or gone. */
static bool progress(struct nbd *nbd, int milliseconds, struct error *error)
{
	int happened = library.poll(nbd->handle, milliseconds);
	if (happened > 0 || (happened < 0 && library.get_errno() == EINTR))
		return true;
	if (happened == 0)
		return error_set(error, ERROR_IO,
		                 "qemu-nbd, which reads the image, has not answered for %d seconds",
		                 milliseconds / 1000);
	return lost(error);
}

static bool read_server(struct nbd *nbd, uint64_t offset, size_t length, struct error *error)
{
	int64_t cookie = library.aio_pread(nbd->handle, nbd->answer, length, offset, NBD_NULL_COMPLETION, 0);
	int done = cookie < 0 ? -1 : 0;
	while (done == 0) {
		if (!progress(nbd, READ_MILLISECONDS, error))
			return false;
		done = library.aio_command_completed(nbd->handle, (uint64_t)cookie);
	}
	nbd->disk->bytes_read += length;
	if (done > 0)
		return true;
	return error_set(error, ERROR_CORRUPT,
	                 "qemu-nbd cannot read %zu bytes at offset %" PRIu64
	                 " of the disk in the image (%s): is "
	                 "the image damaged?",
	                 length, offset, strerrordesc_np(library.get_errno()));
}

static struct piece *find_piece(struct nbd *nbd, uint64_t number)
{
	for (size_t i = 0; i < PIECE_COUNT; i++)
		if (nbd->pieces[i].used && nbd->pieces[i].number == number)
			return &nbd->pieces[i];
	return NULL;
}

static struct piece *oldest_piece(struct nbd *nbd)
{
	struct piece *oldest = &nbd->pieces[0];
	for (size_t i = 1; i < PIECE_COUNT; i++)
		if (nbd->pieces[i].used < oldest->used)
			oldest = &nbd->pieces[i];
	return oldest;
}

static void keep_piece(struct nbd *nbd, uint64_t number, const uint8_t *bytes, size_t length)
{
	struct piece *piece = oldest_piece(nbd);
	if (!piece->bytes)
		piece->bytes = xmalloc(PIECE_SIZE);
	memcpy(piece->bytes, bytes, length);
	piece->number = number;
	piece->used = ++nbd->clock;
}

/*
 * Asks for the piece `first` and those behind it, as many as are wanted now. None is asked for ahead:
 * directories and archives are read with many gaps, and a cluster that was unpacked in vain costs more than a
 * question.
 */
static bool load_pieces(struct nbd *nbd, uint64_t first, uint64_t count, struct error *error)
{
	if (count > REQUEST_MOST)
		count = REQUEST_MOST;
	for (uint64_t i = 1; i < count; i++)
		if (find_piece(nbd, first + i))
			count = i;
	uint64_t offset = first * PIECE_SIZE, left = nbd->disk->reader.size - offset;
	size_t length = count * PIECE_SIZE < left ? (size_t)count * PIECE_SIZE : (size_t)left;
	if (!read_server(nbd, offset, length, error))
		return disk_read_failed(nbd->disk, error);
	for (size_t at = 0; at < length; at += PIECE_SIZE)
		keep_piece(nbd, first + at / PIECE_SIZE, nbd->answer + at,
		           length - at < PIECE_SIZE ? length - at : PIECE_SIZE);
	return true;
}

static bool nbd_read(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	struct nbd *nbd = state;
	uint8_t *to = buffer;
	while (length > 0) {
		uint64_t number = offset / PIECE_SIZE;
		size_t inside = (size_t)(offset % PIECE_SIZE);
		struct piece *piece = find_piece(nbd, number);
		if (!piece) {
			if (!load_pieces(nbd, number, (inside + length - 1) / PIECE_SIZE + 1, error))
				return false;
			piece = find_piece(nbd, number);
		}
		size_t part = PIECE_SIZE - inside < length ? PIECE_SIZE - inside : length;
		memcpy(to, piece->bytes + inside, part);
		piece->used = ++nbd->clock;
		to += part;
		offset += part;
		length -= part;
	}
	return true;
}

static bool handshake(struct nbd *nbd, int socket, struct error *error)
{
	if (library.aio_connect_socket(nbd->handle, socket) < 0)
		return lost(error);
	while (library.aio_is_connecting(nbd->handle) > 0)
		if (!progress(nbd, CONNECT_MILLISECONDS, error))
			return false;
	int64_t size = library.aio_is_ready(nbd->handle) > 0 ? library.get_size(nbd->handle) : -1;
	if (size < 0)
		return error_set(error, ERROR_IO, "qemu-nbd, which reads the image, does not serve it");
	nbd->disk->reader = (struct reader){ .read = nbd_read, .state = nbd, .size = (uint64_t)size };
	return true;
}

bool nbd_open(const struct input *input, struct disk *disk, struct error *error)
{
	if (!nbd_library_load(error))
		return false;
	struct nbd *nbd = xmalloc(sizeof(*nbd));
	memset(nbd, 0, sizeof(*nbd));
	nbd->disk = disk;
	disk->state->nbd = nbd;
	disk->container = input->container;
	nbd->handle = library.create();
	if (!nbd->handle)
		return error_set(error, ERROR_IO, "%s", library.get_error());
	return handshake(nbd, input->descriptor, error);
}

void nbd_close_disk(struct nbd *nbd)
{
	if (!nbd)
		return;
	if (nbd->handle)
		library.close(nbd->handle);
	for (size_t i = 0; i < PIECE_COUNT; i++)
		free(nbd->pieces[i].bytes);
	free(nbd);
}
