// What the frames of a guest's network show of its offloads.

#include "network_bench.h"

#include "machine/bytes.h"
#include "machine/frames.h"
#include "machine/platform.h"

static struct frames frames;
static struct network_seen seen;

struct tcp_frame {
	unsigned flags, gso, segment; /* of the virtio_net_hdr */
	uint32_t sequence, acknowledged;
	size_t data;
};

/* A TCP frame between port 22 of the guest and port 40000 of ours. */
static struct span build_frame(const struct tcp_frame *frame, bool from_guest)
{
	text_clear(&bytes);
	put_u8(&bytes, frame->flags);
	put_u8(&bytes, frame->gso);
	put_be16(&bytes, 0);
	put_u8(&bytes, frame->segment);
	put_u8(&bytes, frame->segment >> 8);
	put_zeros(&bytes, 4 + 12);
	put_be16(&bytes, 0x0800);
	put_be16(&bytes, 0x4500);
	put_be16(&bytes, (unsigned)(40 + frame->data));
	put_be32(&bytes, 0x4000); /* not a fragment */
	put_be32(&bytes, 0x40060000);
	put_be32(&bytes, from_guest ? PLATFORM_ADDRESS : PLATFORM_GATEWAY);
	put_be32(&bytes, from_guest ? PLATFORM_GATEWAY : PLATFORM_ADDRESS);
	put_be16(&bytes, from_guest ? 22 : 40000);
	put_be16(&bytes, from_guest ? 40000 : 22);
	put_be32(&bytes, frame->sequence);
	put_be32(&bytes, frame->acknowledged);
	put_be32(&bytes, 0x50100000);
	put_be32(&bytes, 0);
	put_zeros(&bytes, frame->data);
	return text_bytes(&bytes);
}

static void look(bool from_guest, struct tcp_frame frame)
{
	frames_look(&frames, build_frame(&frame, from_guest), from_guest, &seen);
}

static void begin_frames(void)
{
	frames = (struct frames){ 0 };
	seen = (struct network_seen){ 0 };
}

static void frames_show_offloads_from_the_guest(void **state)
{
	(void)state;
	begin_frames();
	look(true, (struct tcp_frame){ .data = 100 });
	assert_int_equal(seen.checksum_out + seen.tso_out, 0);
	assert_true(seen.has_address);
	look(true, (struct tcp_frame){ .flags = 1, .data = 100 });
	assert_int_equal(seen.checksum_out, 1);
	look(true, (struct tcp_frame){ .flags = 1, .gso = 1, .segment = 244, .data = 244 });
	assert_int_equal(seen.tso_out, 0); /* one segment */
	look(true, (struct tcp_frame){ .flags = 1, .gso = 4, .segment = 244, .data = 1000 });
	assert_int_equal(seen.tso_out, 0); /* TCPv6, which IPv4 cannot be */
	look(true, (struct tcp_frame){ .flags = 1, .gso = 0x81, .segment = 244, .data = 1000 });
	assert_int_equal(seen.tso_out, 1); /* with ECN */
	assert_int_equal(seen.first_checksum_out.frame, 2);
	assert_int_equal(seen.first_tso_out.frame, 5);
	assert_string_equal(seen.first_tso_out.what, "TCP 22 > 40000, 1000 bytes of data, NEEDS_CSUM, GSO "
	                                             "TCPv4 in segments of 244 bytes");
	assert_int_equal(seen.frames_out, 5);
	assert_int_equal(seen.tcp_data_out, 2444);
	assert_int_equal(seen.tcp_frames_out, 5);
	assert_int_equal(seen.largest_out, 1054);
	assert_int_equal(seen.frames_in + seen.tso_in + seen.checksum_in, 0);
}

static const struct tcp_frame large = {
	.flags = 1, .gso = 1, .segment = 1408, .sequence = 0xfffffff0, .data = 5000
};

static void frames_to_the_guest_count_when_acknowledged(void **state)
{
	(void)state;
	begin_frames();
	look(false, large);
	assert_int_equal(seen.checksum_in, 1);
	look(true, (struct tcp_frame){ .acknowledged = large.sequence + 4999 });
	assert_int_equal(seen.tso_in, 0);
	look(true, (struct tcp_frame){ .acknowledged = large.sequence + 5000 });
	assert_int_equal(seen.tso_in, 1);
	assert_int_equal(seen.first_tso_in.frame, 1);
	look(true, (struct tcp_frame){ .acknowledged = large.sequence + 5000 });
	assert_int_equal(seen.tso_in, 1);
	assert_int_equal(seen.largest_in, 5054);
}

static void frames_sent_again_in_segments_do_not_count(void **state)
{
	(void)state;
	begin_frames();
	look(false, large);
	look(false, (struct tcp_frame){ .sequence = large.sequence, .data = 1408 });
	look(true, (struct tcp_frame){ .acknowledged = large.sequence + 5000 });
	assert_int_equal(seen.tso_in, 0);
	/* Its last segment alone: what came before it must have come with the large one. */
	begin_frames();
	look(false, large);
	look(false, (struct tcp_frame){ .sequence = large.sequence + 4000, .data = 1000 });
	look(true, (struct tcp_frame){ .acknowledged = large.sequence + 5000 });
	assert_int_equal(seen.tso_in, 1);
}

static void frames_that_are_damaged_show_nothing(void **state)
{
	(void)state;
	struct tcp_frame whole = { .gso = 1, .segment = 244, .data = 1000 };
	begin_frames();
	struct span all = build_frame(&whole, true);
	for (size_t size = 0; size < all.size; size++)
		frames_look(&frames, span_of(all.data, size), true, &seen);
	assert_int_equal(seen.frames_out, all.size);
	assert_int_equal(seen.tso_out, 0);
	frames_look(&frames, all, true, &seen);
	assert_int_equal(seen.tso_out, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(frames_show_offloads_from_the_guest, tear_down),
		cmocka_unit_test_teardown(frames_to_the_guest_count_when_acknowledged, tear_down),
		cmocka_unit_test_teardown(frames_sent_again_in_segments_do_not_count, tear_down),
		cmocka_unit_test_teardown(frames_that_are_damaged_show_nothing, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
