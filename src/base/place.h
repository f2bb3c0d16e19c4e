// Where in an input something was seen: the evidence that every fact carries.
#pragma once

#include <stdint.h>

/* "Yes", "no" and the honest answer. Zero is unknown, so that nothing is ever known by accident. */
enum answer {
	ANSWER_UNKNOWN = 0,
	ANSWER_NO,
	ANSWER_YES,
};

struct place {
	uint64_t partition; /* number as in the partition table; 0: not in a partition */
	const char *path;   /* inside the image, from its root ("/boot/grub/grub.cfg"); NULL: none */
	uint64_t line;      /* 1-based; 0: none */
	uint64_t offset;    /* byte offset in the disk, where `path` is NULL; 0 with no text: none */
	const char *text;   /* the line or value as read; NULL: none */
};

/* Something that a reader found wrong, with its place; `code` is stable ("gpt-primary-crc"). */
struct problem {
	const char *code;
	const char *message; /* one sentence, no full stop */
	struct place place;
};
