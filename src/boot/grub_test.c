#include <string.h>

#include "base/text.h"
#include "boot/grub_machine.h"

/*
 * The `test` command of GRUB: no precedence but this: -o parts alternatives, everything between is joined by
 * "and" (-a is decoration), and tests of three words are tried before those of two and one.
 */
struct test {
	struct grub_machine *machine;
	const struct grub_argument *arguments;
	size_t count, at;
	unsigned depth;
	const char *unknown; /* the first thing that made an answer unknown */
};

static enum answer answer_of(bool value)
{
	return value ? ANSWER_YES : ANSWER_NO;
}

static enum answer both(enum answer a, enum answer b)
{
	if (a == ANSWER_NO || b == ANSWER_NO)
		return ANSWER_NO;
	return a == ANSWER_YES && b == ANSWER_YES ? ANSWER_YES : ANSWER_UNKNOWN;
}

static enum answer invert(enum answer a)
{
	return a == ANSWER_UNKNOWN ? a : answer_of(a == ANSWER_NO);
}

static enum answer either(enum answer a, enum answer b)
{
	return invert(both(invert(a), invert(b)));
}

static enum answer not_known(struct test *test, const char *why)
{
	if (!test->unknown)
		test->unknown = why;
	return ANSWER_UNKNOWN;
}

static long signed_number(const char *text)
{
	const char *end;
	return text[0] == '-' ? -grub_number(text + 1, &end) : grub_number(text, &end);
}

/* Is `operator` one that stands between two words? *value says what it makes of them. */
static bool compare(const char *a, const char *operator, const char * b, bool *value)
{
	int order = strcmp(a, b);
	long difference = signed_number(a) - signed_number(b);
	const struct {
		const char *name;
		bool value;
	} operators[] = {
		{ "=", order == 0 },        { "==", order == 0 },       { "!=", order != 0 },
		{ "<", order < 0 },         { "<=", order <= 0 },       { ">", order > 0 },
		{ ">=", order >= 0 },       { "-eq", difference == 0 }, { "-ne", difference != 0 },
		{ "-lt", difference < 0 },  { "-le", difference <= 0 }, { "-gt", difference > 0 },
		{ "-ge", difference >= 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (!str_equal(operator, operators[i].name))
			continue;
		*value = operators[i].value;
		return true;
	}
	return false;
}

static bool test_three(struct test *test, enum answer *out)
{
	if (test->count - test->at < 3)
		return false;
	const struct grub_argument *words = test->arguments + test->at;
	if (words[1].unknown)
		return false;
	const char *operator= words[1].text;
	bool value = false;
	if (str_starts(operator, "-nt") || str_starts(operator, "-ot") || str_equal(operator, "-pgt") ||
	    str_equal(operator, "-plt"))
		*out = not_known(test, grub_reason(test->machine, "cannot follow `test %s`", operator));
	else if (!compare(words[0].text, operator, words[2].text, &value))
		return false;
	else if (words[0].unknown || words[2].unknown)
		*out = not_known(test, words[0].unknown ? words[0].unknown : words[2].unknown);
	else
		*out = answer_of(value);
	test->at += 3;
	return true;
}

static enum answer test_file(struct test *test, char letter, const char *name)
{
	enum grub_file_kind kind;
	if (grub_look(test->machine, name, &kind) != ANSWER_YES)
		return not_known(test, grub_reason(test->machine, "cannot look for the file `%s`", name));
	switch (letter) {
	case 'd':
		return answer_of(kind == GRUB_FILE_DIRECTORY);
	case 'f':
		return answer_of(kind == GRUB_FILE_REGULAR || kind == GRUB_FILE_EMPTY);
	case 's':
		return answer_of(kind == GRUB_FILE_REGULAR);
	default:
		return answer_of(kind != GRUB_FILE_ABSENT);
	}
}

static bool test_two(struct test *test, enum answer *out)
{
	if (test->count - test->at < 2)
		return false;
	const struct grub_argument *words = test->arguments + test->at;
	const char *operator= words[0].text;
	if (words[0].unknown || operator[0] != '-' || !operator[1] || operator[2] || !strchr(
					"defsnz", operator[1]))
		return false;
	if (words[1].unknown)
		*out = not_known(test, words[1].unknown);
	else if (operator[1] == 'n')
		*out = answer_of(words[1].text[0] != 0);
	else if (operator[1] == 'z')
		*out = answer_of(words[1].text[0] == 0);
	else
		*out = test_file(test, operator[1], words[1].text);
	test->at += 2;
	return true;
}

static enum answer test_expression(struct test *test)
{
	enum answer all = ANSWER_YES, any = ANSWER_NO;
	bool inverted = false;
	while (test->at < test->count) {
		const struct grub_argument *word = &test->arguments[test->at];
		enum answer value = ANSWER_UNKNOWN;
		if (test_three(test, &value) || test_two(test, &value)) {
			/* taken */
		} else if (word->unknown) {
			value = not_known(test, word->unknown);
			test->at++;
		} else if (str_equal(word->text, ")")) {
			test->at++;
			break;
		} else if (str_equal(word->text, "(")) {
			test->at++;
			if (test->depth >= GRUB_DEPTH_MAX) {
				test->at = test->count;
				return not_known(test,
				                 grub_reason(test->machine, "a test is nested too deep"));
			}
			test->depth++;
			value = test_expression(test);
			test->depth--;
		} else if (str_equal(word->text, "!")) {
			inverted = !inverted;
			test->at++;
			continue;
		} else if (str_equal(word->text, "-a")) {
			test->at++;
			continue;
		} else if (str_equal(word->text, "-o")) {
			any = either(any, all);
			all = ANSWER_YES;
			test->at++;
			continue;
		} else {
			value = answer_of(word->text[0] != 0);
			test->at++;
		}
		all = both(all, inverted ? invert(value) : value);
		inverted = false;
	}
	return either(any, all);
}

enum answer grub_test(struct grub_machine *machine, const struct grub_argument *arguments, size_t count,
                      const char **unknown)
{
	struct test test = { .machine = machine, .arguments = arguments, .count = count };
	enum answer answer = test_expression(&test);
	*unknown = answer == ANSWER_UNKNOWN ? test.unknown : NULL;
	return answer;
}
