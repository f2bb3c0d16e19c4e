// btrfs. An image of it is large and nearly empty: an input is a list of pages, each le32 its number and 4096
// bytes, in a file system that is zero elsewhere. Checksums are put right here, so that changes get past
// them.
#include <ext2fs/ext2fs.h>
#include <string.h>

#include "fs_walk.h"

#define PAGE      4096
#define RECORD    (4 + PAGE)
#define PAGES     40
#define SUPER     16 /* the page of the superblock */
#define IMAGE_MAX (UINT64_C(128) << 20)

struct pages {
	uint64_t numbers[PAGES];
	uint8_t bytes[PAGES][PAGE];
	size_t count;
};

static bool read_pages(void *state, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	(void)error;
	const struct pages *pages = state;
	for (size_t done = 0, part; done < length; done += part) {
		size_t inside = (size_t)((offset + done) % PAGE);
		part = PAGE - inside < length - done ? PAGE - inside : length - done;
		memset((uint8_t *)buffer + done, 0, part);
		for (size_t i = 0; i < pages->count; i++)
			if (pages->numbers[i] == (offset + done) / PAGE)
				memcpy((uint8_t *)buffer + done, pages->bytes[i] + inside, part);
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pages pages;
	struct reader reader = { .read = read_pages, .state = &pages, .size = IMAGE_MAX };
	const uint8_t *id = NULL;
	for (pages.count = 0; pages.count < PAGES && size >= RECORD;
	     pages.count++, data += RECORD, size -= RECORD) {
		uint32_t number = 0;
		(void)!get_le32(span_of(data, 4), 0, &number);
		pages.numbers[pages.count] = number;
		memcpy(pages.bytes[pages.count], data + 4, PAGE);
		id = number == SUPER ? pages.bytes[pages.count] + 32 : id;
	}
	for (size_t i = 0; i < pages.count; i++) {
		uint32_t crc = ~ext2fs_crc32c_le(UINT32_MAX, pages.bytes[i] + 32, PAGE - 32);
		for (unsigned byte = 0; byte < 4 && id && memcmp(pages.bytes[i] + 32, id, 16) == 0; byte++)
			pages.bytes[i][byte] = (uint8_t)(crc >> 8 * byte);
	}
	fuzz_reader(&reader);
	return 0;
}
