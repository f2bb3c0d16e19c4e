// The disk behind an NBD socket: what is asked of the server, and what is believed of its answers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "disk/disk.h"

#define PIECE     65536
#define DISK_SIZE (3 * PIECE + 1000)

/* A server that has said all it will say before it is asked: cookies count from one. */
struct server {
	int ends[2]; /* ours, the client's */
	struct disk *disk;
	struct arena arena;
	struct error error;
	uint8_t bytes[DISK_SIZE];
};

static void say(struct server *server, const void *bytes, size_t size)
{
	assert_int_equal(write(server->ends[0], bytes, size), (ssize_t)size);
}

static void say_number(struct server *server, uint64_t number, unsigned width)
{
	uint8_t bytes[8];
	for (unsigned i = 0; i < width; i++)
		bytes[i] = (uint8_t)(number >> 8 * (width - 1 - i));
	say(server, bytes, width);
}

static void say_reply(struct server *server, uint64_t cookie, uint32_t failure)
{
	say_number(server, 0x67446698, 4);
	say_number(server, failure, 4);
	say_number(server, cookie, 8);
}

static void greet(struct server *server)
{
	say(server, "NBDMAGICIHAVEOPT\0\3", 18);
	say_number(server, DISK_SIZE, 8);
	say_number(server, 3, 2);
}

static int set_up(void **state)
{
	static struct server server;
	server = (struct server){ 0 };
	for (size_t i = 0; i < sizeof(server.bytes); i++)
		server.bytes[i] = (uint8_t)(i * 7 + i / 251);
	*state = &server;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, server.ends);
}

static int tear_down(void **state)
{
	struct server *server = *state;
	disk_close(server->disk);
	arena_free(&server->arena);
	close(server->ends[0]);
	return close(server->ends[1]);
}

/* From here on the server is silent. */
static bool open_disk(struct server *server)
{
	struct input input = input_of_file("disk.vmdk", server->ends[1]);
	struct budget budget = budget_default();
	input.source = SOURCE_SERVER;
	input.container = "vmdk";
	assert_int_equal(shutdown(server->ends[0], SHUT_WR), 0);
	return disk_open(&input, &budget, &server->arena, &server->disk, &server->error);
}

static void assert_bytes(struct server *server, uint64_t offset, size_t length)
{
	static uint8_t got[DISK_SIZE];
	if (!reader_read(&server->disk->reader, offset, got, length, &server->error))
		fail_msg("%s", server->error.message);
	assert_memory_equal(got, server->bytes + offset, length);
}

static void assert_no_bytes(struct server *server, uint64_t offset, enum error_code code, const char *message)
{
	uint8_t got[100];
	assert_false(reader_read(&server->disk->reader, offset, got, sizeof(got), &server->error));
	assert_int_equal(server->error.code, code);
	assert_string_equal(server->error.message, message);
}

static void assert_request(struct server *server, uint8_t cookie, uint32_t offset, uint32_t length)
{
	uint8_t asked[28], wanted[28] = { 0x25, 0x60, 0x95, 0x13, [15] = cookie };
	for (size_t i = 0; i < 4; i++) {
		wanted[20 + i] = (uint8_t)(offset >> (24 - 8 * i));
		wanted[24 + i] = (uint8_t)(length >> (24 - 8 * i));
	}
	assert_int_equal(recv(server->ends[0], asked, sizeof(asked), MSG_DONTWAIT), sizeof(asked));
	assert_memory_equal(asked, wanted, sizeof(asked));
}

static void assert_choice(struct server *server)
{
	char asked[20];
	assert_int_equal(recv(server->ends[0], asked, sizeof(asked), MSG_DONTWAIT), sizeof(asked));
	assert_memory_equal(asked, "\0\0\0\3IHAVEOPT\0\0\0\1\0\0\0\0", sizeof(asked));
}

static void pieces_are_asked_for_once(void **state)
{
	struct server *server = *state;
	greet(server);
	say_reply(server, 1, 0);
	say(server, server->bytes + 2 * PIECE, PIECE);
	say_reply(server, 2, 0);
	say(server, server->bytes + 3 * PIECE, DISK_SIZE - 3 * PIECE);
	assert_true(open_disk(server));
	assert_int_equal(server->disk->reader.size, DISK_SIZE);
	assert_string_equal(server->disk->container, "vmdk");
	assert_bytes(server, 2 * PIECE + 10, 100);
	assert_bytes(server, 3 * PIECE - 100, 1100); /* to the end of the disk */
	assert_bytes(server, 2 * PIECE, DISK_SIZE - 2 * PIECE);
	assert_int_equal(server->disk->bytes_read, DISK_SIZE - 2 * PIECE);
	assert_choice(server);
	assert_request(server, 1, 2 * PIECE, PIECE);
	assert_request(server, 2, 3 * PIECE, DISK_SIZE - 3 * PIECE);
}

static void many_pieces_are_one_request(void **state)
{
	struct server *server = *state;
	greet(server);
	say_reply(server, 1, 0);
	say(server, server->bytes, 2 * PIECE);
	assert_true(open_disk(server));
	assert_bytes(server, 1, 2 * PIECE - 1);
	assert_choice(server);
	assert_request(server, 1, 0, 2 * PIECE);
}

static void who_goes_on_gets_one_more(void **state)
{
	struct server *server = *state;
	greet(server);
	say_reply(server, 1, 0);
	say(server, server->bytes, PIECE);
	say_reply(server, 2, 0);
	say(server, server->bytes + PIECE, 2 * PIECE);
	assert_true(open_disk(server));
	assert_bytes(server, 0, 512);
	assert_bytes(server, PIECE, 512);
	assert_bytes(server, 2 * PIECE, 512);
	assert_choice(server);
	assert_request(server, 1, 0, PIECE);
	assert_request(server, 2, PIECE, 2 * PIECE);
}

static void one_more_that_cannot_be_read_is_left_out(void **state)
{
	struct server *server = *state;
	greet(server);
	say_reply(server, 1, 0);
	say(server, server->bytes, PIECE);
	say_reply(server, 2, 5);
	say_reply(server, 3, 0);
	say(server, server->bytes + PIECE, PIECE);
	assert_true(open_disk(server));
	assert_bytes(server, 0, 512);
	assert_bytes(server, PIECE, 512);
	assert_string_equal(server->disk->failure, "");
	assert_choice(server);
	assert_request(server, 1, 0, PIECE);
	assert_request(server, 2, PIECE, 2 * PIECE);
	assert_request(server, 3, PIECE, PIECE);
}

static void server_may_fail_to_read(void **state)
{
	struct server *server = *state;
	greet(server);
	say_reply(server, 1, 5);
	say_reply(server, 2, 0xfffffff0);
	say_reply(server, 3, 0);
	say(server, server->bytes, PIECE);
	assert_true(open_disk(server));
	assert_no_bytes(server, 0, ERROR_CORRUPT,
	                "qemu-nbd cannot read 65536 bytes at offset 0 of the disk in the image (Input/output "
	                "error): is the image damaged?");
	assert_no_bytes(server, PIECE, ERROR_CORRUPT,
	                "qemu-nbd cannot read 65536 bytes at offset 65536 of the disk in the image (an error "
	                "of its own): is the image damaged?");
	assert_bytes(server, 0, 512); /* the third time it can */
	assert_non_null(strstr(server->disk->failure, "at offset 0 "));
}

#define NONSENSE "qemu-nbd, which reads the image, is gone or answers nonsense: "

static void a_lost_server_stays_lost(void **state)
{
	struct server *server = *state;
	greet(server);
	say_reply(server, 7, 0);
	/* An answer to what is asked next, if it were asked. */
	say_reply(server, 2, 0);
	say(server, server->bytes, PIECE);
	assert_true(open_disk(server));
	assert_no_bytes(server, 0, ERROR_IO, NONSENSE "its reply is none to what was asked");
	assert_no_bytes(server, 0, ERROR_IO, NONSENSE "it failed before");
}

static void half_an_answer_is_none(void **state)
{
	struct server *server = *state;
	greet(server);
	say_reply(server, 1, 0);
	say(server, server->bytes, PIECE - 1);
	assert_true(open_disk(server));
	assert_no_bytes(server, 0, ERROR_IO, NONSENSE "the connection is closed");
	assert_no_bytes(server, 0, ERROR_IO, NONSENSE "it failed before");
}

static void greetings_are_checked(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *message;
	} cases[] = {
		{ "", 0, NONSENSE "the connection is closed" },
		{ "NBDMAGICIHAVEOPT", 16, NONSENSE "the connection is closed" },
		{ "NBDMAGICIHAVEOPS\0\3", 18, NONSENSE "its greeting is not that of an NBD server" },
		{ "NBDMAGICIHAVEOPT\0\1", 18, NONSENSE "it speaks an old form of NBD" },
		{ "NBDMAGICIHAVEOPT\0\2", 18, NONSENSE "it speaks an old form of NBD" },
		{ "NBDMAGICIHAVEOPT\0\3\0\0\0\0\0\0\0\1\0\2", 28,
		  NONSENSE "it describes its disk as no NBD server does" },
		{ "NBDMAGICIHAVEOPT\0\3\x80\0\0\0\0\0\0\0\0\3", 28,
		  NONSENSE "it describes its disk as no NBD server does" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct server *server = *state;
		say(server, cases[i].bytes, cases[i].size);
		assert_false(open_disk(server));
		assert_int_equal(server->error.code, ERROR_IO);
		assert_string_equal(server->error.message, cases[i].message);
		tear_down(state);
		set_up(state);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pieces_are_asked_for_once), TEST(many_pieces_are_one_request),
		TEST(who_goes_on_gets_one_more), TEST(one_more_that_cannot_be_read_is_left_out),
		TEST(server_may_fail_to_read),   TEST(a_lost_server_stays_lost),
		TEST(half_an_answer_is_none),    TEST(greetings_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
