#include "machine/dns.h"

#include <ctype.h>

#include "machine/bytes.h"
#include "machine/platform.h"

/*
 * RFC 1035, section 4.1:
 *   0 id   2 flags   4 questions   6 answers   8 authorities   10 additional
 *   12 a question: labels (a length, the bytes; 0 ends), type, class
 * RFC 6891, section 6.1.2: a client that knows EDNS adds a record without a name of type OPT, whose class is
 * the largest datagram that it takes; a server that adds none is one of old, with which resolvers make do,
 * and say so. Flags: 0x8000 it is a reply, 0x7800 operation, 0x0400 authoritative, 0x0100 recursion desired,
 * 0x0080 recursion available, 0x000f the outcome.
 */
#define REPLY           0x8000u
#define OPERATION       0x7800u
#define DESIRED         0x0100u
#define AUTHORITATIVE   0x0400u
#define AVAILABLE       0x0080u
#define OUTCOME_FORMAT  1u
#define OUTCOME_NO_NAME 3u
#define OUTCOME_NOT_IMP 4u
#define TYPE_A          1
#define TYPE_OPT        41
#define TYPE_ANY        255
#define CLASS_IN        1
#define LABEL_MOST      63
#define NAME_MOST       255
#define QUESTION_OFFSET 12
#define SECONDS_TO_KEEP 30
#define DATAGRAM_MOST   512

static const struct known_name {
	const char *name;
	uint32_t address;
} known_names[] = {
	{ PLATFORM_SERVER, PLATFORM_METADATA },
	{ "metadata", PLATFORM_METADATA },
	{ PLATFORM_HOST, PLATFORM_ADDRESS },
	{ PLATFORM_NAME, PLATFORM_ADDRESS },
	{ NULL, 0 },
};

/* The name at `at`, which is moved behind it, in lower case with dots; false: damaged. */
static bool read_name(struct span query, size_t *at, char name[NAME_MOST + 1])
{
	size_t used = 0;
	for (;;) {
		uint8_t length;
		struct span label;
		if (!get_u8(query, (*at)++, &length) || length > LABEL_MOST)
			return false; /* a question has nothing before it to point to */
		if (length == 0)
			break;
		if (!span_slice(query, *at, length, &label) || used + length + 1 > NAME_MOST)
			return false;
		*at += length;
		if (used > 0)
			name[used++] = '.';
		for (size_t i = 0; i < length; i++)
			name[used++] = (char)tolower(label.data[i]);
	}
	name[used] = '\0';
	return true;
}

static const struct known_name *find_name(const char *name)
{
	const struct known_name *known = known_names;
	while (known->name && !str_equal(known->name, name))
		known++;
	return known->name ? known : NULL;
}

/* Does an OPT record stand at `at`, behind the question? */
static bool has_options(struct span query, size_t at)
{
	uint32_t answers;
	uint16_t additional, type;
	uint8_t root;
	return get_be32(query, 6, &answers) && answers == 0 && get_be16(query, 10, &additional) &&
	       additional > 0 && get_u8(query, at, &root) && root == 0 && get_be16(query, at + 1, &type) &&
	       type == TYPE_OPT;
}

static void put_header(struct text *out, uint16_t id, uint16_t flags, unsigned outcome, bool question,
                       bool answer, bool options)
{
	put_be16(out, id);
	put_be16(out, REPLY | AVAILABLE | AUTHORITATIVE | (flags & (OPERATION | DESIRED)) | outcome);
	put_be16(out, question);
	put_be16(out, answer);
	put_be16(out, 0);
	put_be16(out, options);
}

static void put_options(struct text *out)
{
	put_u8(out, 0);
	put_be16(out, TYPE_OPT);
	put_be16(out, DATAGRAM_MOST);
	put_zeros(out, 6); /* the outcome's upper bits, version 0, no flags; no options */
}

bool dns_answer(struct span query, struct text *out)
{
	uint16_t id, flags, questions, type, class;
	char name[NAME_MOST + 1];
	size_t end = QUESTION_OFFSET;
	if (!get_be16(query, 0, &id) || !get_be16(query, 2, &flags) || !get_be16(query, 4, &questions) ||
	    query.size < QUESTION_OFFSET || flags & REPLY)
		return false;
	if (flags & OPERATION) {
		put_header(out, id, flags, OUTCOME_NOT_IMP, false, false, false);
		return true;
	}
	struct span question;
	if (questions != 1 || !read_name(query, &end, name) || !get_be16(query, end, &type) ||
	    !get_be16(query, end + 2, &class) ||
	    !span_slice(query, QUESTION_OFFSET, end + 4 - QUESTION_OFFSET, &question)) {
		put_header(out, id, flags, OUTCOME_FORMAT, false, false, false);
		return true;
	}
	const struct known_name *known = class == CLASS_IN ? find_name(name) : NULL;
	bool answered = known && (type == TYPE_A || type == TYPE_ANY);
	bool options = has_options(query, end + 4);
	put_header(out, id, flags, known ? 0 : OUTCOME_NO_NAME, true, answered, options);
	text_add_span(out, question);
	if (answered) {
		put_be16(out, 0xc000 | QUESTION_OFFSET); /* the name is that of the question */
		put_be16(out, TYPE_A);
		put_be16(out, CLASS_IN);
		put_be32(out, SECONDS_TO_KEEP);
		put_be16(out, 4);
		put_be32(out, known->address);
	}
	if (options)
		put_options(out);
	return true;
}
