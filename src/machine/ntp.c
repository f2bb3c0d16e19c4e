#include "machine/ntp.h"

#include "machine/bytes.h"
#include "machine/platform.h"

/*
 * RFC 5905, section 7.3:
 *   0 leap (2 bits), version (3), mode (3)   1 stratum   2 poll   3 precision   4 root delay
 *   8 root dispersion   12 reference id   16 reference   24 origin   32 receive   40 transmit timestamp
 * A timestamp is seconds since 1900 and a fraction of 2^-32 seconds.
 */
#define MODE_CLIENT 3u
#define MODE_SERVER 4u
#define SINCE_1900  UINT64_C(2208988800)

static void put_time(struct text *out, struct timespec time)
{
	put_be32(out, (uint32_t)((uint64_t)time.tv_sec + SINCE_1900));
	put_be32(out, (uint32_t)(((uint64_t)time.tv_nsec << 32) / 1000000000));
}

bool ntp_answer(struct span request, struct timespec received, struct timespec sent, struct text *out)
{
	uint8_t first, poll;
	struct span origin;
	if (request.size < NTP_SIZE || !get_u8(request, 0, &first) || !get_u8(request, 2, &poll) ||
	    !span_slice(request, 40, 8, &origin))
		return false;
	unsigned version = (first >> 3) & 7;
	if ((first & 7) != MODE_CLIENT || version < 1 || version > 4)
		return false;
	put_u8(out, version << 3 | MODE_SERVER); /* no leap second ahead */
	put_u8(out, 2);
	put_u8(out, poll);
	put_u8(out, 0xec); /* 2^-20 s */
	put_be32(out, 0x10);
	put_be32(out, 0x20);
	put_be32(out, PLATFORM_METADATA);
	put_time(out, (struct timespec){ .tv_sec = received.tv_sec - 16 }); /* when our clock was last set */
	text_add_span(out, origin);
	put_time(out, received);
	put_time(out, sent);
	return true;
}
