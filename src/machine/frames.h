// What frames show, counted: one frame at a time, with the virtio_net_hdr that stands before it.
#pragma once

#include "machine/network.h"

/* Large frames to the guest that it has not acknowledged yet; more than these are not followed. */
#define FRAMES_PENDING 32

struct frames_pending {
	bool waits;
	uint16_t guest_port, our_port;
	uint32_t start, end; /* sequence numbers of its first byte and behind its last */
	struct network_sample sample;
};

struct frames {
	struct frames_pending pending[FRAMES_PENDING];
	size_t next;
};

/* Counts the frame, which the guest sent or was sent. It is the guest's: nothing of it is believed. */
void frames_look(struct frames *frames, struct span frame, bool from_guest, struct network_seen *seen);
