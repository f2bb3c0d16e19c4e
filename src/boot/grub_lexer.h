// GRUB script, first stage: text to tokens.
// Language: "Shell-like scripting" in the GNU GRUB manual; quoting and variables are resolved per word.
#pragma once

#include "base/arena.h"
#include "base/budget.h"
#include "base/error.h"
#include "base/span.h"

enum grub_part_type {
	GRUB_PART_TEXT,            /* as it stands */
	GRUB_PART_QUOTED,          /* inside quotes: never dropped, even when empty */
	GRUB_PART_VARIABLE,        /* $name: its value is split at blanks */
	GRUB_PART_QUOTED_VARIABLE, /* "$name": its value stays one word */
};

struct grub_part {
	enum grub_part_type type;
	const char *text; /* literal text, or the variable's name */
};

struct grub_word {
	LIST(struct grub_part) parts;
	const char
		*plain; /* its text when it has no quotes, escapes or variables: a keyword or a name; NULL */
};

enum grub_token_type {
	GRUB_TOKEN_END,
	GRUB_TOKEN_NEWLINE,
	GRUB_TOKEN_SEMICOLON,
	GRUB_TOKEN_OPEN,
	GRUB_TOKEN_CLOSE,
	GRUB_TOKEN_WORD,
};

struct grub_token {
	enum grub_token_type type;
	uint64_t line; /* 1-based, where it starts */
	struct grub_word word;
};

struct grub_lexer {
	struct span text;
	size_t at;
	uint64_t line;
	struct budget *budget;
	struct arena *arena;
};

struct grub_lexer grub_lexer_of(struct span text, struct budget *budget, struct arena *arena);

/* ERROR_CORRUPT for what GRUB calls a syntax error, ERROR_LIMIT when the budget is used up. */
NODISCARD bool grub_lexer_next(struct grub_lexer *lexer, struct grub_token *out, struct error *error);

/* Gives up the rest of the current line, so that reading can go on behind a syntax error. */
void grub_lexer_skip_line(struct grub_lexer *lexer);
