// The little of the NBD protocol that reading one disk takes: one export, one request at a time, simple
// replies.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct nbd_client {
	int socket; /* borrowed: connected, blocking */
	uint64_t size;
	uint64_t cookie; /* of the request asked last */
	bool lost;       /* nothing more is asked: what comes next belongs to who knows what */
};

/* Shakes hands over a socket, and sets the size of the disk. */
NODISCARD bool nbd_client_open(struct nbd_client *client, int socket, struct error *error);

/*
 * Asks for a range inside the disk. True: the bytes follow, and all of them are to be received, in as many
 * parts as one likes, before anything else is asked. False with ERROR_CORRUPT: the server cannot read them,
 * and others can be asked for.
 */
NODISCARD bool nbd_client_ask(struct nbd_client *client, uint64_t offset, uint32_t length,
                              struct error *error);
NODISCARD bool nbd_client_receive(struct nbd_client *client, void *to, size_t length, struct error *error);
