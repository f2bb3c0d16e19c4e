#include "boot/grub_lexer.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

struct grub_lexer grub_lexer_of(struct span text, struct budget *budget, struct arena *arena)
{
	return (struct grub_lexer){ .text = text, .line = 1, .budget = budget, .arena = arena };
}

/* The byte `ahead` of the current one; 0 behind the end (a NUL in the text is a syntax error anyway). */
static char peek(const struct grub_lexer *lexer, size_t ahead)
{
	uint8_t byte = 0;
	return get_u8(lexer->text, lexer->at + ahead, &byte) ? (char)byte : 0;
}

static bool at_end(const struct grub_lexer *lexer)
{
	return lexer->at >= lexer->text.size;
}

static char take(struct grub_lexer *lexer)
{
	char character = peek(lexer, 0);
	lexer->at++;
	if (character == '\n')
		lexer->line++;
	return character;
}

void grub_lexer_skip_line(struct grub_lexer *lexer)
{
	while (!at_end(lexer) && take(lexer) != '\n')
		;
}

static bool syntax(const struct grub_lexer *lexer, struct error *error, const char *what)
{
	return error_set(error, ERROR_CORRUPT, "line %" PRIu64 ": syntax error: %s", lexer->line, what);
}

static bool is_name_start(char character)
{
	return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
	       character == '_';
}

static bool is_digit(char character)
{
	return character >= '0' && character <= '9';
}

/* A word being put together: literal text collects in `pending` until a part of another kind begins. */
struct word_builder {
	struct grub_word *word;
	struct text pending;
	bool plain;
};

static void add_part(struct grub_lexer *lexer, struct word_builder *builder, enum grub_part_type type,
                     const char *text)
{
	*LIST_ADD(lexer->arena, &builder->word->parts) = (struct grub_part){ .type = type, .text = text };
}

static void flush(struct grub_lexer *lexer, struct word_builder *builder, enum grub_part_type type)
{
	if (builder->pending.size > 0 || type == GRUB_PART_QUOTED)
		add_part(lexer, builder, type, arena_strdup(lexer->arena, text_get(&builder->pending)));
	text_clear(&builder->pending);
}

/* Behind a '$': NAME, digits, or one of ? # * @, each perhaps in braces. */
static bool lex_variable(struct grub_lexer *lexer, struct word_builder *builder, enum grub_part_type type,
                         struct error *error)
{
	bool braces = peek(lexer, 0) == '{';
	if (braces)
		take(lexer);
	size_t start = lexer->at;
	if (is_name_start(peek(lexer, 0))) {
		while (is_name_start(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
			take(lexer);
	} else if (is_digit(peek(lexer, 0))) {
		while (is_digit(peek(lexer, 0)))
			take(lexer);
	} else if (peek(lexer, 0) && strchr("?#*@", peek(lexer, 0))) {
		take(lexer);
	} else {
		return syntax(lexer, error, "a '$' that starts no variable");
	}
	struct span name;
	if (!span_slice(lexer->text, start, lexer->at - start, &name))
		return syntax(lexer, error, "a variable without a name");
	if (braces && take(lexer) != '}')
		return syntax(lexer, error, "a '${' without its '}'");
	add_part(lexer, builder, type, arena_string(lexer->arena, name));
	return true;
}

static bool lex_single_quotes(struct grub_lexer *lexer, struct word_builder *builder, struct error *error)
{
	while (!at_end(lexer)) {
		char character = take(lexer);
		if (character == '\'') {
			flush(lexer, builder, GRUB_PART_QUOTED);
			return true;
		}
		text_add_char(&builder->pending, character);
	}
	return syntax(lexer, error, "the text ends inside '...'");
}

static bool lex_double_quotes(struct grub_lexer *lexer, struct word_builder *builder, bool variables,
                              struct error *error)
{
	while (!at_end(lexer)) {
		char character = take(lexer);
		if (character == '"') {
			flush(lexer, builder, GRUB_PART_QUOTED);
			return true;
		}
		if (character == '\\' && peek(lexer, 0) == '\n') {
			take(lexer);
		} else if (character == '\\' && peek(lexer, 0) && strchr("$\\\"", peek(lexer, 0))) {
			text_add_char(&builder->pending, take(lexer));
		} else if (character == '$' && variables) {
			flush(lexer, builder, GRUB_PART_QUOTED);
			if (!lex_variable(lexer, builder, GRUB_PART_QUOTED_VARIABLE, error))
				return false;
		} else {
			text_add_char(&builder->pending, character);
		}
	}
	return syntax(lexer, error, "the text ends inside \"...\"");
}

/* One element of a word whose first character needs more than copying. */
static bool lex_special(struct grub_lexer *lexer, struct word_builder *builder, struct error *error)
{
	char character = take(lexer);
	builder->plain = false;
	if (character == '\\') {
		char escaped = take(lexer);
		if (escaped && escaped != '\n')
			text_add_char(&builder->pending, escaped);
		return true;
	}
	flush(lexer, builder, GRUB_PART_TEXT);
	if (character == '\'')
		return lex_single_quotes(lexer, builder, error);
	if (character == '"')
		return lex_double_quotes(lexer, builder, true, error);
	/* $"..." is text for translation; GRUB resolves variables in it later, for messages alone. */
	if (peek(lexer, 0) == '"') {
		take(lexer);
		return lex_double_quotes(lexer, builder, false, error);
	}
	return lex_variable(lexer, builder, GRUB_PART_VARIABLE, error);
}

static bool lex_word(struct grub_lexer *lexer, struct grub_word *out, struct error *error)
{
	struct word_builder builder = { .word = out, .plain = true };
	size_t start = lexer->at;
	bool sound = true;
	while (sound && !at_end(lexer) && !strchr(" \t\n{}|&;<>", peek(lexer, 0))) {
		if (strchr("'\"\\$", peek(lexer, 0)))
			sound = lex_special(lexer, &builder, error);
		else
			text_add_char(&builder.pending, take(lexer));
	}
	flush(lexer, &builder, GRUB_PART_TEXT);
	text_free(&builder.pending);
	if (!sound)
		return false;
	if (builder.plain && out->parts.count == 1)
		out->plain = out->parts.items[0].text;
	if (str_equal(out->plain, "[[") || str_equal(out->plain, "]]"))
		return syntax(lexer, error, "GRUB knows no [[ ... ]]");
	return budget_step(lexer->budget, 1 + (lexer->at - start) / 16, "the words of a GRUB script", error);
}

static void skip_blanks(struct grub_lexer *lexer)
{
	for (;;) {
		char character = peek(lexer, 0);
		if (character == ' ' || character == '\t') {
			take(lexer);
		} else if (character == '\\' && peek(lexer, 1) == '\n') {
			take(lexer);
			take(lexer);
		} else {
			return;
		}
	}
}

bool grub_lexer_next(struct grub_lexer *lexer, struct grub_token *out, struct error *error)
{
	skip_blanks(lexer);
	while (!at_end(lexer) && peek(lexer, 0) == '#')
		while (!at_end(lexer) && peek(lexer, 0) != '\n')
			take(lexer);
	*out = (struct grub_token){ .line = lexer->line, .type = GRUB_TOKEN_END };
	if (at_end(lexer))
		return true;
	if (!budget_step(lexer->budget, 1, "the tokens of a GRUB script", error))
		return false;
	switch (peek(lexer, 0)) {
	case '\n':
		out->type = GRUB_TOKEN_NEWLINE;
		break;
	case ';':
		out->type = GRUB_TOKEN_SEMICOLON;
		break;
	case '{':
		out->type = GRUB_TOKEN_OPEN;
		break;
	case '}':
		out->type = GRUB_TOKEN_CLOSE;
		break;
	case '|':
	case '&':
	case '<':
	case '>':
		return syntax(lexer, error, "GRUB knows no pipes, lists or redirections");
	case 0:
		return syntax(lexer, error, "a NUL byte");
	default:
		out->type = GRUB_TOKEN_WORD;
		return lex_word(lexer, &out->word, error);
	}
	take(lexer);
	return true;
}
