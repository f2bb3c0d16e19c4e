// What the guest sends to the reference machine's network. The first byte chooses who gets the rest: the DHCP
// server, the metadata server, DNS, NTP, or the counter of frames (a list of them, each behind its length and
// direction).
#include "machine/dhcp.h"
#include "machine/dns.h"
#include "machine/frames.h"
#include "machine/metadata.h"
#include "machine/ntp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_dhcp(struct span bytes)
{
	struct dhcp_answer answer;
	dhcp_answer(bytes, &answer);
	/* What is sent has to fit into a frame, and BOOTP's smallest size. */
	if ((answer.type == DHCP_NONE) != (answer.datagram.size == 0) || answer.datagram.size > 1400 ||
	    (answer.datagram.size > 0 && answer.datagram.size < 300))
		__builtin_trap();
	text_free(&answer.datagram);
}

/* The whole tree, the headers, and a request said back as the place to go to. */
#define RESPONSE_MOST ((size_t)16384 + METADATA_REQUEST_MOST)

static void check_metadata(struct span bytes)
{
	for (unsigned requests = 0; requests < 64; requests++) {
		struct metadata_reply reply;
		metadata_answer(bytes, &reply);
		bool more = reply.outcome == METADATA_MORE;
		if (more != (reply.response.size == 0) || more != (reply.consumed == 0) ||
		    reply.consumed > bytes.size || reply.response.size > RESPONSE_MOST ||
		    (more && bytes.size > 2 * METADATA_REQUEST_MOST + 4))
			__builtin_trap();
		bytes = span_from(bytes, reply.consumed);
		metadata_reply_free(&reply);
		if (more)
			return;
	}
}

static void check_datagrams(struct span bytes)
{
	struct text names = { 0 }, time = { 0 };
	if (dns_answer(bytes, &names) && (names.size < 12 || names.size > 12 + 255 + 1 + 4 + 16))
		__builtin_trap();
	if (ntp_answer(bytes, (struct timespec){ 0 }, (struct timespec){ 0 }, &time) && time.size != NTP_SIZE)
		__builtin_trap();
	text_free(&names);
	text_free(&time);
}

/* Each frame: its length in two bytes, whether the guest sent it in one, its bytes. */
static void check_frames(struct span bytes)
{
	struct frames frames = { 0 };
	struct network_seen seen = { 0 };
	uint16_t length;
	uint8_t from_guest;
	while (get_be16(bytes, 0, &length) && get_u8(bytes, 2, &from_guest)) {
		struct span frame = span_from(bytes, 3);
		if (length < frame.size)
			frame.size = length;
		frames_look(&frames, frame, from_guest & 1, &seen);
		bytes = span_from(bytes, 3u + length);
	}
	if (seen.tso_out > seen.frames_out || seen.checksum_out > seen.frames_out ||
	    seen.checksum_in > seen.frames_in || seen.tso_in > seen.frames_in)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(struct span) = { check_dhcp, check_metadata, check_datagrams,
		                                       check_frames };
	if (size > 0)
		checks[data[0] % ARRAY_SIZE(checks)](span_from(span_of(data, size), 1));
	return 0;
}
