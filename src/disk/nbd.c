// A disk behind a connected NBD socket. The server is as untrusted as the image that it reads.
//
// Readers come back to the same places, some bytes at a time, and a question to the server costs more than
// its answer: what is read are aligned pieces, which are kept.
#include <stdlib.h>
#include <string.h>

#include "disk/container.h"
#include "disk/nbd_client.h"

#define PIECE_SIZE   ((size_t)64 << 10) /* the usual cluster: a compressed one is unpacked whole each time */
#define PIECE_COUNT  64
#define REQUEST_MOST 16 /* pieces */

struct piece {
	uint64_t number; /* its offset in pieces */
	uint64_t used;   /* the clock when last used; 0: it holds nothing */
	uint8_t *bytes;  /* owned; NULL until it is needed */
};

struct nbd {
	struct nbd_client client;
	struct disk *disk;
	uint64_t clock;
	uint64_t next; /* the piece behind those that came last */
	struct piece pieces[PIECE_COUNT];
};

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

static bool receive_piece(struct nbd *nbd, uint64_t number, size_t length, struct error *error)
{
	struct piece *piece = oldest_piece(nbd);
	if (!piece->bytes)
		piece->bytes = xmalloc(PIECE_SIZE);
	piece->used = 0;
	if (!nbd_client_receive(&nbd->client, piece->bytes, length, error))
		return false;
	piece->number = number;
	piece->used = ++nbd->clock;
	return true;
}

/* How many pieces from `first` on, of `most`, lie in the disk, fit into a request and are not there yet. */
static uint64_t count_missing(struct nbd *nbd, uint64_t first, uint64_t most)
{
	uint64_t to_end = (nbd->disk->reader.size - 1) / PIECE_SIZE + 1 - first;
	if (most > to_end)
		most = to_end;
	if (most > REQUEST_MOST)
		most = REQUEST_MOST;
	uint64_t count = 1;
	while (count < most && !find_piece(nbd, first + count))
		count++;
	return count;
}

static bool load_pieces(struct nbd *nbd, uint64_t first, uint64_t count, struct error *error)
{
	uint64_t offset = first * PIECE_SIZE, left = nbd->disk->reader.size - offset;
	size_t length = count * PIECE_SIZE < left ? (size_t)count * PIECE_SIZE : (size_t)left;
	if (!nbd_client_ask(&nbd->client, offset, (uint32_t)length, error))
		return false;
	for (size_t at = 0; at < length; at += PIECE_SIZE)
		if (!receive_piece(nbd, first + at / PIECE_SIZE,
		                   length - at < PIECE_SIZE ? length - at : PIECE_SIZE, error))
			return false;
	nbd->disk->bytes_read += length;
	nbd->next = first + count;
	return true;
}

/*
 * Asks for the piece `first`, and for as many of the `wanted` ones as one question can. One more where it
 * goes on from the last question, as in an archive whose headers are read one by one. No others are asked for
 * ahead: there are gaps everywhere, and a cluster that was unpacked in vain costs as much as five questions.
 */
static bool load_wanted(struct nbd *nbd, uint64_t first, uint64_t wanted, struct error *error)
{
	uint64_t needed = count_missing(nbd, first, wanted);
	uint64_t count = first == nbd->next ? count_missing(nbd, first, wanted + 1) : needed;
	if (load_pieces(nbd, first, count, error))
		return true;
	/* That the one more cannot be read is not for this reader to hear. */
	return count > needed && error->code == ERROR_CORRUPT && load_pieces(nbd, first, needed, error);
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
			uint64_t wanted = (inside + length - 1) / PIECE_SIZE + 1;
			if (!load_wanted(nbd, number, wanted, error))
				return disk_read_failed(nbd->disk, error);
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

bool nbd_open(const struct input *input, struct disk *disk, struct error *error)
{
	struct nbd *nbd = xmalloc(sizeof(*nbd));
	memset(nbd, 0, sizeof(*nbd));
	nbd->disk = disk;
	nbd->next = UINT64_MAX;
	disk->state->nbd = nbd;
	disk->container = input->container;
	if (!nbd_client_open(&nbd->client, input->descriptor, error))
		return false;
	disk->reader = (struct reader){ .read = nbd_read, .state = nbd, .size = nbd->client.size };
	return true;
}

void nbd_close_disk(struct nbd *nbd)
{
	if (!nbd)
		return;
	for (size_t i = 0; i < PIECE_COUNT; i++)
		free(nbd->pieces[i].bytes);
	free(nbd);
}
