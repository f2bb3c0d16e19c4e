// The servers of the reference machine's network, and what its frames show: bytes in, bytes out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "machine/bytes.h"
#include "machine/dhcp.h"
#include "machine/dns.h"
#include "machine/frames.h"
#include "machine/metadata.h"
#include "machine/ntp.h"
#include "machine/platform.h"

static struct text bytes, reply;

static int tear_down(void **state)
{
	(void)state;
	text_free(&bytes);
	text_free(&reply);
	return 0;
}

/* A request of a client with the machine's hardware address, up to the options. */
static void begin_dhcp(unsigned flags, uint32_t client, unsigned type)
{
	text_clear(&bytes);
	text_add_span(&bytes, span_of("\1\1\6", 4));
	put_be32(&bytes, 0x12345678);
	put_be16(&bytes, 3);
	put_be16(&bytes, flags);
	put_be32(&bytes, client);
	put_zeros(&bytes, 12);
	text_add_span(&bytes, span_of("\x42\x01\x0a\x80\x00\x02", 6));
	put_zeros(&bytes, 10 + 64 + 128);
	put_be32(&bytes, 0x63825363);
	text_add_span(&bytes, span_of("\65\1", 2));
	put_u8(&bytes, type);
}

static void add_address_option(unsigned code, uint32_t address)
{
	put_u8(&bytes, code);
	put_u8(&bytes, 4);
	put_be32(&bytes, address);
}

static struct dhcp_answer ask_dhcp(void)
{
	struct dhcp_answer answer;
	put_u8(&bytes, 255);
	dhcp_answer(text_bytes(&bytes), &answer);
	return answer;
}

static enum dhcp_type dhcp_type_of_answer(void)
{
	struct dhcp_answer answer = ask_dhcp();
	text_free(&answer.datagram);
	return answer.type;
}

/* The value of an option of a reply; an empty span: it has none. */
static struct span option_of(const struct dhcp_answer *answer, unsigned wanted)
{
	struct span all = text_bytes(&answer->datagram), value = { 0 };
	uint8_t code, length;
	for (size_t at = 240; get_u8(all, at, &code) && code != 255; at += 2u + length) {
		assert_true(get_u8(all, at + 1, &length));
		if (code == wanted)
			assert_true(span_slice(all, at + 2, length, &value));
	}
	return value;
}

static void assert_option(const struct dhcp_answer *answer, unsigned code, const void *wanted, size_t size)
{
	struct span value = option_of(answer, code);
	assert_int_equal(value.size, size);
	assert_memory_equal(value.data, wanted, size);
}

static void dhcp_offers_the_address(void **state)
{
	(void)state;
	begin_dhcp(0, 0, DHCP_DISCOVER);
	text_add_span(&bytes, span_of("\75\3abc", 5)); /* 61 */
	struct dhcp_answer answer = ask_dhcp();
	struct span datagram = text_bytes(&answer.datagram);
	uint32_t value;
	assert_int_equal(answer.type, DHCP_OFFER);
	assert_false(answer.broadcast);
	assert_int_equal(answer.address, PLATFORM_ADDRESS);
	assert_true(datagram.size >= 300);
	assert_true(get_be32(datagram, 4, &value));
	assert_int_equal(value, 0x12345678);
	assert_true(get_be32(datagram, 16, &value));
	assert_int_equal(value, PLATFORM_ADDRESS);
	assert_true(span_has(datagram, 28, "\x42\x01\x0a\x80\x00\x02", 6));
	assert_option(&answer, 53, "\2", 1);
	assert_option(&answer, 1, "\377\377\377\377", 4);
	assert_option(&answer, 3, "\12\200\0\1", 4);
	assert_option(&answer, 6, "\251\376\251\376", 4);
	assert_option(&answer, 12, PLATFORM_HOST, strlen(PLATFORM_HOST));
	assert_option(&answer, 26, "\5\264", 2);
	assert_option(&answer, 42, "\251\376\251\376", 4);
	assert_option(&answer, 51, "\0\1\121\200", 4);
	assert_option(&answer, 54, "\251\376\251\376", 4);
	assert_option(&answer, 61, "abc", 3);
	assert_option(&answer, 121, "\40\12\200\0\1\0\0\0\0\0\12\200\0\1", 14);
	text_free(&answer.datagram);
}

static void dhcp_grants_only_its_own(void **state)
{
	(void)state;
	begin_dhcp(0x8000, 0, DHCP_REQUEST);
	add_address_option(50, PLATFORM_ADDRESS);
	add_address_option(54, PLATFORM_METADATA);
	struct dhcp_answer answer = ask_dhcp();
	assert_int_equal(answer.type, DHCP_ACK);
	assert_true(answer.broadcast);
	text_free(&answer.datagram);

	begin_dhcp(0, 0, DHCP_REQUEST); /* a lease of another network, remembered */
	add_address_option(50, PLATFORM_ADDRESS + 1);
	answer = ask_dhcp();
	assert_int_equal(answer.type, DHCP_NAK);
	assert_true(answer.broadcast);
	assert_int_equal(option_of(&answer, 51).size, 0);
	text_free(&answer.datagram);

	begin_dhcp(0, PLATFORM_ADDRESS, DHCP_REQUEST); /* it renews */
	answer = ask_dhcp();
	assert_int_equal(answer.type, DHCP_ACK);
	assert_false(answer.broadcast);
	text_free(&answer.datagram);

	begin_dhcp(0, 0, DHCP_REQUEST);
	add_address_option(50, PLATFORM_ADDRESS);
	add_address_option(54, PLATFORM_GATEWAY);
	assert_int_equal(dhcp_type_of_answer(), DHCP_NONE);

	begin_dhcp(0, PLATFORM_ADDRESS + 7, DHCP_INFORM);
	answer = ask_dhcp();
	assert_int_equal(answer.type, DHCP_ACK);
	assert_int_equal(answer.address, PLATFORM_ADDRESS + 7);
	assert_true(span_is_zero(span_of(answer.datagram.data + 16, 4)));
	assert_int_equal(option_of(&answer, 51).size, 0);
	text_free(&answer.datagram);
}

static void dhcp_does_not_answer_what_is_no_request(void **state)
{
	(void)state;
	begin_dhcp(0, PLATFORM_ADDRESS, DHCP_RELEASE);
	assert_int_equal(dhcp_type_of_answer(), DHCP_NONE);
	begin_dhcp(0, 0, 99);
	assert_int_equal(dhcp_type_of_answer(), DHCP_NONE);
	begin_dhcp(0, 0, DHCP_DISCOVER);
	bytes.data[0] = 2; /* a reply */
	assert_int_equal(dhcp_type_of_answer(), DHCP_NONE);
	begin_dhcp(0, 0, DHCP_DISCOVER);
	text_add_span(&bytes, span_of("\14\310x", 3)); /* an option longer than the rest */
	struct dhcp_answer answer;
	dhcp_answer(text_bytes(&bytes), &answer);
	assert_int_equal(answer.type, DHCP_NONE);
	for (size_t size = 0; size < 243; size++) {
		dhcp_answer(span_of(bytes.data, size), &answer);
		assert_int_equal(answer.type, DHCP_NONE);
	}
}

static void ntp_tells_the_time(void **state)
{
	(void)state;
	struct timespec received = { .tv_sec = 1, .tv_nsec = 500000000 }, sent = { .tv_sec = 2 };
	put_u8(&bytes, 0x23); /* version 4, client */
	put_zeros(&bytes, 39);
	text_add(&bytes, "ORIGINAL");
	assert_true(ntp_answer(text_bytes(&bytes), received, sent, &reply));
	struct span answer = text_bytes(&reply);
	assert_int_equal(answer.size, NTP_SIZE);
	assert_true(span_has(answer, 0, "\x24\2", 2));
	assert_true(span_has(answer, 24, "ORIGINAL", 8));
	/* 2208988801.5 and 2208988802 */
	assert_true(span_has(answer, 32, "\x83\xaa\x7e\x81\x80\0\0\0\x83\xaa\x7e\x82\0\0\0\0", 16));
	text_clear(&reply);
	bytes.data[0] = 0x24; /* another server's answer */
	assert_false(ntp_answer(text_bytes(&bytes), received, sent, &reply));
	bytes.data[0] = 0x23;
	assert_false(ntp_answer(span_of(bytes.data, NTP_SIZE - 1), received, sent, &reply));
	assert_int_equal(reply.size, 0);
}

/* Asks for a name; the answer lies in `reply`. */
static void ask_dns(const char *labels, size_t size, unsigned type)
{
	text_clear(&bytes);
	text_clear(&reply);
	put_be16(&bytes, 0xabcd);
	put_be16(&bytes, 0x0100);
	put_be16(&bytes, 1);
	put_zeros(&bytes, 6);
	text_add_span(&bytes, span_of(labels, size));
	put_be16(&bytes, type);
	put_be16(&bytes, 1);
	assert_true(dns_answer(text_bytes(&bytes), &reply));
	assert_true(span_has(text_bytes(&reply), 0, "\xab\xcd", 2));
}

#define METADATA_LABELS "\10MetaData\6google\10internal"

static void dns_knows_the_metadata_server(void **state)
{
	(void)state;
	ask_dns(METADATA_LABELS, sizeof(METADATA_LABELS), 1);
	struct span answer = text_bytes(&reply);
	assert_true(span_has(answer, 2, "\x85\x80\0\1\0\1", 6));
	assert_true(span_has(answer, 12, METADATA_LABELS, sizeof(METADATA_LABELS)));
	assert_true(span_has(answer, answer.size - 6, "\0\4\251\376\251\376", 6));
	ask_dns(METADATA_LABELS, sizeof(METADATA_LABELS), 28); /* AAAA: the name is there, the address not */
	assert_true(span_has(text_bytes(&reply), 2, "\x85\x80\0\1\0\0", 6));
	ask_dns("\7example\3com", 13, 1);
	assert_true(span_has(text_bytes(&reply), 2, "\x85\x83\0\1\0\0", 6));
}

static void dns_answers_a_client_of_today_as_one(void **state)
{
	static const char options[] = "\0\0\51\5\300\0\0\0\0\0\0";
	(void)state;
	ask_dns(METADATA_LABELS, sizeof(METADATA_LABELS), 1);
	text_add_span(&bytes, span_of(options, sizeof(options) - 1));
	size_t plain = reply.size;
	text_clear(&reply);
	bytes.data[11] = 1;
	assert_true(dns_answer(text_bytes(&bytes), &reply));
	assert_true(span_has(text_bytes(&reply), 2, "\x85\x80\0\1\0\1\0\0\0\1", 10));
	assert_int_equal(reply.size, plain + 11);
	assert_true(span_has(text_bytes(&reply), plain, "\0\0\51\2\0\0\0\0\0\0\0", 11));
	text_clear(&reply);
	assert_true(dns_answer(span_of(bytes.data, bytes.size - 10), &reply)); /* cut off */
	assert_int_equal(reply.size, plain);
}

static void dns_refuses_damage(void **state)
{
	(void)state;
	ask_dns("\7exampl", 7, 1); /* the label takes the type for its own */
	assert_true(span_has(text_bytes(&reply), 2, "\x85\x81\0\0", 4));
	ask_dns("\300\14", 2, 1); /* a pointer to itself */
	assert_true(span_has(text_bytes(&reply), 2, "\x85\x81\0\0", 4));
	text_clear(&reply);
	bytes.data[2] = (char)0x81; /* a reply */
	assert_false(dns_answer(text_bytes(&bytes), &reply));
	assert_false(dns_answer(span_of(bytes.data, 11), &reply));
	bytes.data[2] = 0x10; /* another operation */
	assert_true(dns_answer(text_bytes(&bytes), &reply));
	assert_true(span_has(text_bytes(&reply), 2, "\x94\x84\0\0", 4));
}

static struct metadata_reply asked;

/* Asks the metadata server; its response as a string. */
static const char *ask_http(const char *request)
{
	metadata_reply_free(&asked);
	metadata_answer(span_text(request), &asked);
	return text_get(&asked.response);
}

#define FLAVOR "Metadata-Flavor: Google\r\n"

static void assert_response(const char *request, const char *status, const char *body)
{
	const char *response = ask_http(request);
	if (asked.outcome == METADATA_MORE || !str_starts(response + strlen("HTTP/1.1 "), status))
		fail_msg("%s\n-> %s", request, response);
	assert_non_null(strstr(response, "\r\n" FLAVOR));
	assert_non_null(strstr(response, "\r\nServer: Metadata Server for VM\r\n"));
	if (body)
		assert_string_equal(strstr(response, "\r\n\r\n") + 4, body);
}

static void metadata_has_values_and_directories(void **state)
{
	(void)state;
	assert_response("GET / HTTP/1.1\r\n\r\n", "200", "0.1/\ncomputeMetadata/\n");
	assert_response("GET /computeMetadata/v1/ HTTP/1.1\r\n" FLAVOR "\r\n", "200",
	                "instance/\noslogin/\nproject/\n");
	assert_response(
		"GET /computeMetadata/v1/instance/hostname HTTP/1.1\r\nmetadata-flavor:google\r\n\r\n", "200",
		PLATFORM_HOST);
	assert_response("GET /computeMetadata/v1/instance/disks/0/ HTTP/1.1\r\n" FLAVOR "\r\n", "200",
	                "device-name\nindex\ninterface\nmode\ntype\n");
	assert_response("GET /computeMetadata/v1/instance/attributes/ HTTP/1.1\r\n" FLAVOR "\r\n", "200", "");
	assert_response("GET http://metadata/computeMetadata/v1//project//project-id HTTP/1.0\r\n" FLAVOR
	                "\r\n",
	                "200", PLATFORM_PROJECT);
	assert_true(asked.close);
	assert_response("GET /computeMetadata/v1/project/?recursive=true HTTP/1.1\r\n" FLAVOR "\r\n", "200",
	                "{\"attributes\":{},\"numericProjectId\":123456789012,\"projectId\":"
	                "\"slipway-project\"}");
	assert_response("GET /computeMetadata/v1/project/?recursive=true&alt=text HTTP/1.1\r\n" FLAVOR "\r\n",
	                "200", "numeric-project-id 123456789012\nproject-id slipway-project\n");
	assert_response("GET /computeMetadata/v1/instance/disks/?recursive=true HTTP/1.1\r\n" FLAVOR "\r\n",
	                "200",
	                "[{\"deviceName\":\"persistent-disk-0\",\"index\":0,\"interface\":\"SCSI\","
	                "\"mode\":\"READ_WRITE\",\"type\":\"PERSISTENT-BALANCED\"}]");
	assert_response("HEAD /computeMetadata/v1/instance/id HTTP/1.1\r\n" FLAVOR "\r\n", "200", "");
	assert_string_equal(text_get(&asked.path), "/computeMetadata/v1/instance/id");
	assert_false(asked.close);
}

static void metadata_refuses_as_the_platform_does(void **state)
{
	(void)state;
	assert_response("GET /computeMetadata/v1/ HTTP/1.1\r\nHost: x\r\n\r\n", "403", NULL);
	assert_response("GET /computeMetadata/v1/ HTTP/1.1\r\n" FLAVOR "X-Forwarded-For: 1.2.3.4\r\n\r\n",
	                "403", NULL);
	assert_response("GET /computeMetadata/v1/instance/nothing HTTP/1.1\r\n" FLAVOR "\r\n", "404", NULL);
	assert_response("GET /computeMetadata/v1/instance/host HTTP/1.1\r\n" FLAVOR "\r\n", "404", NULL);
	assert_response("GET /computeMetadata/v1/instance/service-accounts/default/token HTTP/1.1\r\n" FLAVOR
	                "\r\n",
	                "404", NULL);
	assert_response("GET /0.1/meta-data HTTP/1.1\r\n" FLAVOR "\r\n", "404", NULL);
	assert_response("GET /computeMetadata/v1/instance?alt=json HTTP/1.1\r\n" FLAVOR "\r\n", "301", NULL);
	assert_non_null(strstr(text_get(&asked.response),
	                       "Location: http://metadata.google.internal/computeMetadata/v1/instance/"
	                       "?alt=json\r\n"));
	assert_response("PUT /computeMetadata/v1/instance/guest-attributes/hostkeys/x HTTP/1.1\r\n" FLAVOR
	                "Content-Length: 3\r\n\r\nabc",
	                "403", NULL);
	assert_response("POST /computeMetadata/v1/instance/ HTTP/1.1\r\n" FLAVOR "\r\n", "405", NULL);
	assert_response("nonsense\r\n\r\n", "400", NULL);
	assert_true(asked.close);
	assert_response("GET /\r\n\r\n", "400", NULL);
}

static void metadata_takes_requests_as_they_come(void **state)
{
	(void)state;
	static const char two[] = "GET / HTTP/1.1\r\n\r\nGET /computeMetadata/ HTTP/1.1\r\n\r\n";
	ask_http(two);
	assert_int_equal(asked.consumed, strlen("GET / HTTP/1.1\r\n\r\n"));
	for (size_t size = 0; size < asked.consumed; size++) {
		struct metadata_reply part;
		metadata_answer(span_of(two, size), &part);
		assert_int_equal(part.outcome, METADATA_MORE);
		metadata_reply_free(&part);
	}
	ask_http("PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab");
	assert_int_equal(asked.outcome, METADATA_MORE);
	while (bytes.size <= METADATA_REQUEST_MOST)
		text_add(&bytes, "GET / HTTP/1.1 ");
	assert_response(text_get(&bytes), "400", NULL);
	assert_true(asked.close);
}

static void metadata_holds_what_waits_for_a_change(void **state)
{
	(void)state;
#define WAIT "GET /computeMetadata/v1/?recursive=true&alt=json&wait_for_change=true&timeout_sec=60&last_etag="
	const char *first = ask_http(WAIT "NONE HTTP/1.1\r\n" FLAVOR "\r\n");
	assert_int_equal(asked.outcome, METADATA_ANSWER);
	const char *tag = strstr(first, "\r\nETag: ");
	assert_non_null(tag);
	text_printf(&bytes, WAIT "%.16s HTTP/1.1\r\n" FLAVOR "\r\n", tag + strlen("\r\nETag: "));
	ask_http(text_get(&bytes));
	assert_int_equal(asked.outcome, METADATA_WAIT);
	assert_int_equal((int)asked.wait_seconds, 60);
	assert_non_null(strstr(text_get(&asked.response), "\r\nContent-Type: application/json\r\n"));
	ask_http("GET /computeMetadata/v1/instance/tags?wait_for_change=true HTTP/1.1\r\n" FLAVOR "\r\n");
	assert_int_equal(asked.outcome, METADATA_WAIT);
	assert_int_equal((int)asked.wait_seconds, 86400);
}

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
		cmocka_unit_test_teardown(dhcp_offers_the_address, tear_down),
		cmocka_unit_test_teardown(dhcp_grants_only_its_own, tear_down),
		cmocka_unit_test_teardown(dhcp_does_not_answer_what_is_no_request, tear_down),
		cmocka_unit_test_teardown(ntp_tells_the_time, tear_down),
		cmocka_unit_test_teardown(dns_knows_the_metadata_server, tear_down),
		cmocka_unit_test_teardown(dns_answers_a_client_of_today_as_one, tear_down),
		cmocka_unit_test_teardown(dns_refuses_damage, tear_down),
		cmocka_unit_test_teardown(metadata_has_values_and_directories, tear_down),
		cmocka_unit_test_teardown(metadata_refuses_as_the_platform_does, tear_down),
		cmocka_unit_test_teardown(metadata_takes_requests_as_they_come, tear_down),
		cmocka_unit_test_teardown(metadata_holds_what_waits_for_a_change, tear_down),
		cmocka_unit_test_teardown(frames_show_offloads_from_the_guest, tear_down),
		cmocka_unit_test_teardown(frames_to_the_guest_count_when_acknowledged, tear_down),
		cmocka_unit_test_teardown(frames_sent_again_in_segments_do_not_count, tear_down),
		cmocka_unit_test_teardown(frames_that_are_damaged_show_nothing, tear_down),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	metadata_reply_free(&asked);
	return failed;
}
