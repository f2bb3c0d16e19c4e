// The servers of the guest's network, as functions of bytes: DHCP, NTP and DNS.
#include <string.h>

#include "network_bench.h"

#include "machine/bytes.h"
#include "machine/dhcp.h"
#include "machine/dns.h"
#include "machine/ntp.h"
#include "machine/platform.h"

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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
