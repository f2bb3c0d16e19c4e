// Small text files of an image, line by line: trimmed, numbered, without the empty ones.
#pragma once

#include "base/place.h"
#include "fs/tree.h"

struct file_lines {
	enum answer present; /* UNKNOWN: it is there and cannot be read; see reason */
	struct place place;  /* of the file */
	const char *reason;  /* NULL when it was read or is not there */
	struct span rest;
	uint64_t number; /* of the line that file_lines_next() gave last */
};

/* Loads at most `most` bytes. What is not a regular file counts as not there. */
struct file_lines file_lines_open(const struct tree *tree, const char *path, size_t most,
                                  struct arena *arena);
/* The next line that holds something, without white space around it; false at the end. */
bool file_lines_next(struct file_lines *file, struct span *line);
/* The place of that line, with its text. */
struct place file_lines_place(const struct file_lines *file, struct span line, struct arena *arena);

/* Takes the next word off the front of *rest; blanks, tabs and `also` (may be NULL) separate words. */
bool next_word(struct span *rest, const char *also, struct span *word);
/* The same without regard to the case of ASCII letters? */
bool span_equal_word(struct span span, const char *word);
