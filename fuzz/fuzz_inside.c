// What a guest says on ttyS1 to ttyS3: each piece is a byte for the port, one for its length, and that many
// bytes.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "machine/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inside inside;
	int ends[2];
	int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (file < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		__builtin_trap();
	inside_open(&inside, file, ends[0]);
	for (size_t at = 0; size - at >= 2;) {
		size_t length = data[at + 1];
		if (length > size - at - 2)
			length = size - at - 2;
		inside_feed(&inside, data[at] % 5, span_of(data + at + 2, length));
		at += 2 + length;
		if (inside.size > inside.announced || inside.size > INSIDE_MOST)
			__builtin_trap();
		if (inside.state == INSIDE_COMPLETE && inside.size != inside.announced)
			__builtin_trap();
		if (inside.state == INSIDE_BROKEN && !inside.reason)
			__builtin_trap();
		for (size_t port = 0; port < ARRAY_SIZE(inside.pending); port++)
			if (inside.pending[port].size > 256)
				__builtin_trap();
	}
	inside_free(&inside);
	close(ends[0]);
	close(ends[1]);
	close(file);
	return 0;
}
