// The network of the reference machine with real sockets: its namespace and tap with a guest that is played,
// frame by frame, and the metadata server's connections.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine/bytes.h"
#include "machine/network_private.h"
#include "machine/platform.h"

static struct arena arena;
static struct loop loop;
static struct network network;

static int tear_down(void **state)
{
	(void)state;
	network_close(&network);
	assert_int_equal(loop.count, 0);
	arena_free(&arena);
	return 0;
}

/* Sums 16-bit words as RFC 1071 has it. */
static unsigned add_words(unsigned sum, struct span words)
{
	uint16_t word;
	for (size_t at = 0; get_be16(words, at, &word); at += 2)
		sum += word;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* An Ethernet frame of the guest to all, with an empty virtio_net_hdr before it. */
static void begin_frame(struct text *frame, unsigned type)
{
	put_zeros(frame, 10);
	text_add_span(frame, span_of("\377\377\377\377\377\377\x42\x01\x0a\x80\x00\x02", 12));
	put_be16(frame, type);
}

/* A DHCP request in UDP, without a checksum of its own, which is optional. */
static void send_dhcp(unsigned type)
{
	struct text frame = { 0 }, header = { 0 };
	const unsigned size = 20 + 8 + 244;
	put_be16(&header, 0x4500);
	put_be16(&header, size);
	put_be32(&header, 0);
	put_be16(&header, 0x4011);
	put_be16(&header, 0);
	put_be32(&header, 0);
	put_be32(&header, UINT32_MAX);
	unsigned sum = ~add_words(0, text_bytes(&header)) & 0xffff;
	header.data[10] = (char)(sum >> 8);
	header.data[11] = (char)sum;
	begin_frame(&frame, 0x0800);
	text_add_span(&frame, text_bytes(&header));
	put_be16(&frame, 68);
	put_be16(&frame, 67);
	put_be16(&frame, size - 20);
	put_be16(&frame, 0);
	text_add_span(&frame, span_of("\1\1\6\0ABCD", 8));
	put_zeros(&frame, 20);
	text_add_span(&frame, span_of("\x42\x01\x0a\x80\x00\x02", 6));
	put_zeros(&frame, 202);
	put_be32(&frame, 0x63825363);
	put_be16(&frame, 0x3501);
	put_u8(&frame, type);
	put_u8(&frame, 255);
	assert_int_equal(write(network.tap, frame.data, frame.size), frame.size);
	text_free(&frame);
	text_free(&header);
}

static void send_arp_announcement(void)
{
	struct text frame = { 0 };
	begin_frame(&frame, 0x0806);
	text_add_span(&frame, span_of("\0\1\x08\0\6\4\0\1\x42\x01\x0a\x80\x00\x02", 14));
	put_be32(&frame, PLATFORM_ADDRESS);
	put_zeros(&frame, 6);
	put_be32(&frame, PLATFORM_GATEWAY);
	assert_int_equal(write(network.tap, frame.data, frame.size), frame.size);
	text_free(&frame);
}

/* Reads the tap for five seconds at most, for a frame that holds these bytes at `offset`. */
static bool receives(size_t offset, const void *wanted, size_t size)
{
	uint8_t frame[4096];
	for (unsigned i = 0; i < 100; i++) {
		loop_until(&loop, 0.05, NULL, NULL);
		ssize_t got;
		while ((got = read(network.tap, frame, sizeof(frame))) > 0)
			if (span_has(span_of(frame, (size_t)got), offset, wanted, size))
				return true;
	}
	return false;
}

/* Where the kernel or a container forbids namespaces, it is said; that has a test below. */
static void open_or_skip(int pcap)
{
	loop = (struct loop){ 0 };
	network_open(&network, &loop, pcap, &arena);
	if (network.tap < 0) {
		print_message("not tested here: %s\n", network.reason);
		skip();
	}
}

#define BEHIND_HEADERS (10 + 14 + 20 + 8) /* virtio_net_hdr, Ethernet, IPv4, UDP */

static void a_guest_gets_its_address(void **state)
{
	(void)state;
	int pcap = memfd_create("pcap", MFD_CLOEXEC);
	assert_true(pcap >= 0);
	open_or_skip(pcap);
	send_dhcp(1);
	/* To the address that it does not have yet, by its hardware address: no ARP comes before. */
	assert_true(receives(BEHIND_HEADERS + 4, "ABCD", 4));
	assert_int_equal(network.seen.leases, 0);
	send_dhcp(3); /* of no address: refused, to all */
	assert_true(receives(10, "\377\377\377\377\377\377", 6));
	assert_false(network.seen.has_address);
	send_arp_announcement();
	assert_true(receives(10 + 12, "\x08\x06\0\1\x08\0\6\4\0\2", 10)); /* the gateway answers */
	assert_true(network.seen.has_address);
	assert_true(network.seen.frames_out >= 3);
	assert_true(network.seen.frames_in >= 3);
	/* The first frame there is the first that was written here, or the kernel's own before it. */
	uint8_t head[24];
	assert_int_equal(pread(pcap, head, sizeof(head), 0), sizeof(head));
	assert_memory_equal(head, "\xa1\xb2\x3c\x4d\0\2\0\4", 8);
	assert_true(lseek(pcap, 0, SEEK_END) > 24 + 3 * (16 + 42));
	close(pcap);
}

static void nobody_listens(void **state)
{
	(void)state;
	open_or_skip(-1);
	network_converse(&network, 0.2);
	assert_null(network.conversation);
	assert_string_equal(network.silence,
	                    "no TCP conversation came about: the guest does not use the address 10.128.0.2");
	assert_true(network.seen.frames_in >= 1); /* it was asked */
}

/* That its frames have shown all is no service that answers: it is asked all the same. */
static void what_was_seen_is_no_answer(void **state)
{
	(void)state;
	open_or_skip(-1);
	network.seen = (struct network_seen){
		.checksum_out = 1, .checksum_in = 1, .tso_out = 1, .tso_in = 1, .has_address = true
	};
	network_converse(&network, 5);
	assert_null(network.silence);
	assert_false(network_answers(&network, 0.2));
	assert_string_equal(network.silence, "no TCP conversation came about: the guest does not answer");
}

/* As where namespaces are forbidden: in a process that has used up its descriptors, so that none can be made.
 */
static void without_a_network_there_is_a_reason(void **state)
{
	(void)state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		while (dup(STDERR_FILENO) >= 0)
			;
		network_open(&network, &loop, -1, &arena);
		bool right = network.tap < 0 && network.reason && loop.count == 0;
		network_converse(&network, 5);
		network_close(&network);
		_exit(right ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* The metadata server on the loopback, without a namespace; its port. */
static uint16_t serve_metadata(void)
{
	struct sockaddr_in place = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(place);
	loop = (struct loop){ 0 };
	network = (struct network){ .loop = &loop, .arena = &arena, .tap = -1 };
	network.own = arena_alloc(&arena, sizeof(*network.own));
	network.own->netns = (struct netns)NETNS_NONE;
	network.own->buffer = xmalloc(NETWORK_BUFFER);
	network.own->netns.http = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(network.own->netns.http, (struct sockaddr *)&place, sizeof(place)), 0);
	assert_int_equal(listen(network.own->netns.http, 64), 0);
	assert_int_equal(getsockname(network.own->netns.http, (struct sockaddr *)&place, &length), 0);
	http_open(&network);
	return ntohs(place.sin_port);
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in place = { .sin_family = AF_INET,
		                     .sin_port = htons(port),
		                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&place, sizeof(place)), 0);
	return client;
}

static void say(int client, const char *text)
{
	assert_int_equal(send(client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What comes within `seconds`, as a string; NULL: the connection was closed. */
static const char *hear(int client, double seconds)
{
	static char heard[8192];
	double end = seconds_now() + seconds;
	ssize_t got;
	do {
		loop_until(&loop, 0.02, NULL, NULL);
		got = recv(client, heard, sizeof(heard) - 1, MSG_DONTWAIT);
	} while (got < 0 && seconds_now() < end);
	heard[got > 0 ? got : 0] = '\0';
	return got == 0 ? NULL : heard;
}

static void metadata_is_served_in_pieces_and_again(void **state)
{
	(void)state;
	int client = connect_to(serve_metadata());
	say(client, "GET /computeMetadata/v1/instance/na");
	assert_string_equal(hear(client, 0.1), "");
	say(client, "me HTTP/1.1\r\nMetadata-Flavor: Google\r\n\r\nGET /");
	assert_true(str_ends(hear(client, 5), "\r\n\r\n" PLATFORM_NAME));
	say(client, " HTTP/1.0\r\n\r\n");
	assert_true(str_ends(hear(client, 5), "computeMetadata/\n"));
	assert_null(hear(client, 5));
	assert_int_equal(network.seen.metadata_requests, 2);
	assert_string_equal(network.seen.metadata_paths.items[0], "/computeMetadata/v1/instance/name");
	close(client);
}

static void a_request_that_waits_is_answered_in_the_end(void **state)
{
	(void)state;
	int client = connect_to(serve_metadata());
	say(client, "GET /computeMetadata/v1/instance/name?wait_for_change=true&timeout_sec=1 HTTP/1.1\r\n"
	            "Metadata-Flavor: Google\r\n\r\n");
	assert_string_equal(hear(client, 0.5), "");
	assert_true(str_ends(hear(client, 10), "\r\n\r\n" PLATFORM_NAME));
	close(client);
}

static void more_connections_than_there_is_room_for_wait(void **state)
{
	(void)state;
	uint16_t port = serve_metadata();
	int idle[HTTP_CONNECTIONS];
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
		idle[i] = connect_to(port);
	int late = connect_to(port);
	say(late, "GET / HTTP/1.1\r\n\r\n");
	assert_string_equal(hear(late, 0.3), "");
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
		close(idle[i]);
	assert_true(str_starts(hear(late, 5), "HTTP/1.1 200 OK\r\n"));
	close(late);
}

static void a_flood_is_refused(void **state)
{
	(void)state;
	int client = connect_to(serve_metadata());
	struct text much = { 0 };
	while (much.size <= METADATA_REQUEST_MOST)
		text_add(&much, "GET / HTTP/1.1 and more ");
	say(client, text_get(&much));
	assert_true(str_starts(hear(client, 5), "HTTP/1.1 400 "));
	text_free(&much);
	close(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_guest_gets_its_address, tear_down),
		cmocka_unit_test_teardown(nobody_listens, tear_down),
		cmocka_unit_test_teardown(what_was_seen_is_no_answer, tear_down),
		cmocka_unit_test_teardown(without_a_network_there_is_a_reason, tear_down),
		cmocka_unit_test_teardown(metadata_is_served_in_pieces_and_again, tear_down),
		cmocka_unit_test_teardown(a_request_that_waits_is_answered_in_the_end, tear_down),
		cmocka_unit_test_teardown(more_connections_than_there_is_room_for_wait, tear_down),
		cmocka_unit_test_teardown(a_flood_is_refused, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
