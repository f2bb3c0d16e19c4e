// The protocol: doc/proto.md of https://github.com/NetworkBlockDevice/nbd. All numbers are big-endian.
//
//	server   "NBDMAGIC", "IHAVEOPT", 16 bits of flags
//	client   32 bits of flags; "IHAVEOPT", 32 bits NBD_OPT_EXPORT_NAME, 32 bits length of the name: 0
//	server   64 bits size of the disk, 16 bits of flags
//	client   request: 32 bits magic, 16 of flags, 16 NBD_CMD_READ, 64 cookie, 64 offset, 32 length
//	server   simple reply: 32 bits magic, 32 error, 64 cookie; without an error the bytes
//
// Newer options would tell why an export cannot be had, and describe holes: a server that was started for one
// image has one export, and readers ask for no holes.
#include "disk/nbd_client.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/span.h"

#define GREETING_MAGIC "NBDMAGICIHAVEOPT"
#define GREETING_SIZE  18
#define EXPORT_SIZE    10
#define REQUEST_SIZE   28
#define REPLY_SIZE     16

#define FLAG_FIXED_NEWSTYLE   1u
#define FLAG_NO_ZEROES        2u /* none of the 124 bytes that once stood behind the export's flags */
#define FLAG_EXPORT_HAS_FLAGS 1u
#define OPTION_EXPORT_NAME    1
#define REQUEST_MAGIC         UINT32_C(0x25609513)
#define REPLY_MAGIC           UINT32_C(0x67446698)
#define COMMAND_READ          0

/* A server that says nothing for so long hangs. The first answer takes no reading. */
#define GREETING_SECONDS 10
#define READ_SECONDS     60

static bool lost(struct nbd_client *client, const char *why, struct error *error)
{
	client->lost = true;
	return error_set(error, ERROR_IO, "qemu-nbd, which reads the image, is gone or answers nonsense: %s",
	                 why);
}

/* strerrordesc_np() knows no numbers but the system's. */
static const char *describe(uint32_t number)
{
	const char *description = number <= INT_MAX ? strerrordesc_np((int)number) : NULL;
	return description ? description : "an error of its own";
}

static bool set_patience(struct nbd_client *client, time_t seconds, struct error *error)
{
	const struct timeval patience = { .tv_sec = seconds };
	if (setsockopt(client->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    setsockopt(client->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0)
		return true;
	return lost(client, strerrordesc_np(errno), error);
}

/* What is sent is a few bytes, which fit into the socket's buffer or find no one there. */
static bool send_all(struct nbd_client *client, const uint8_t *bytes, size_t size, struct error *error)
{
	ssize_t sent;
	do
		sent = send(client->socket, bytes, size, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent == (ssize_t)size)
		return true;
	return lost(client, sent < 0 ? strerrordesc_np(errno) : "it does not listen", error);
}

static bool receive(struct nbd_client *client, void *to, size_t length, int patience, struct error *error)
{
	uint8_t *next = to;
	while (length > 0) {
		ssize_t got = recv(client->socket, next, length, MSG_WAITALL);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			client->lost = true;
			return error_set(error, ERROR_IO,
			                 "qemu-nbd, which reads the image, has not answered for %d seconds",
			                 patience);
		}
		if (got <= 0)
			return lost(client, got < 0 ? strerrordesc_np(errno) : "the connection is closed",
			            error);
		next += got;
		length -= (size_t)got;
	}
	return true;
}

/* Writes `count` bytes of a number, and gives the place behind them. */
static uint8_t *put_be(uint8_t *to, uint64_t number, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		to[i] = (uint8_t)(number >> 8 * (count - 1 - i));
	return to + count;
}

static bool greet(struct nbd_client *client, struct error *error)
{
	uint8_t greeting[GREETING_SIZE];
	uint16_t flags;
	if (!receive(client, greeting, sizeof(greeting), GREETING_SECONDS, error))
		return false;
	struct span said = span_of(greeting, sizeof(greeting));
	if (!span_has(said, 0, GREETING_MAGIC, sizeof(GREETING_MAGIC) - 1) || !get_be16(said, 16, &flags))
		return lost(client, "its greeting is not that of an NBD server", error);
	if (!(flags & FLAG_FIXED_NEWSTYLE) || !(flags & FLAG_NO_ZEROES))
		return lost(client, "it speaks an old form of NBD", error);
	return true;
}

static bool choose_export(struct nbd_client *client, struct error *error)
{
	uint8_t choice[20], *next = put_be(choice, FLAG_FIXED_NEWSTYLE | FLAG_NO_ZEROES, 4);
	memcpy(next, "IHAVEOPT", 8);
	next = put_be(next + 8, OPTION_EXPORT_NAME, 4);
	put_be(next, 0, 4);
	uint8_t answer[EXPORT_SIZE];
	uint16_t flags;
	if (!send_all(client, choice, sizeof(choice), error) ||
	    !receive(client, answer, sizeof(answer), GREETING_SECONDS, error))
		return false;
	struct span said = span_of(answer, sizeof(answer));
	if (!get_be64(said, 0, &client->size) || !get_be16(said, 8, &flags) ||
	    !(flags & FLAG_EXPORT_HAS_FLAGS) || client->size > INT64_MAX)
		return lost(client, "it describes its disk as no NBD server does", error);
	return true;
}

bool nbd_client_open(struct nbd_client *client, int socket, struct error *error)
{
	*client = (struct nbd_client){ .socket = socket };
	return set_patience(client, GREETING_SECONDS, error) && greet(client, error) &&
	       choose_export(client, error) && set_patience(client, READ_SECONDS, error);
}

static bool send_request(struct nbd_client *client, uint64_t offset, uint32_t length, struct error *error)
{
	uint8_t request[REQUEST_SIZE], *next = put_be(request, REQUEST_MAGIC, 4);
	next = put_be(next, 0, 2);
	next = put_be(next, COMMAND_READ, 2);
	next = put_be(next, ++client->cookie, 8);
	next = put_be(next, offset, 8);
	put_be(next, length, 4);
	return send_all(client, request, sizeof(request), error);
}

bool nbd_client_ask(struct nbd_client *client, uint64_t offset, uint32_t length, struct error *error)
{
	uint8_t reply[REPLY_SIZE];
	uint32_t magic, failure;
	uint64_t cookie;
	if (client->lost)
		return lost(client, "it failed before", error);
	if (!send_request(client, offset, length, error) ||
	    !receive(client, reply, sizeof(reply), READ_SECONDS, error))
		return false;
	struct span said = span_of(reply, sizeof(reply));
	if (!get_be32(said, 0, &magic) || !get_be32(said, 4, &failure) || !get_be64(said, 8, &cookie) ||
	    magic != REPLY_MAGIC || cookie != client->cookie)
		return lost(client, "its reply is none to what was asked", error);
	if (failure == 0)
		return true;
	return error_set(error, ERROR_CORRUPT,
	                 "qemu-nbd cannot read %" PRIu32 " bytes at offset %" PRIu64
	                 " of the disk in the image (%s): is the image damaged?",
	                 length, offset, describe(failure));
}

bool nbd_client_receive(struct nbd_client *client, void *to, size_t length, struct error *error)
{
	return receive(client, to, length, READ_SECONDS, error);
}
