// GRUB script, second stage: tokens to a tree of commands.
#pragma once

#include "boot/grub_lexer.h"

/* Deepest nesting of blocks that is followed; what grub-mkconfig writes stays below 8. */
#define GRUB_NESTING_MAX 40

enum grub_node_type {
	GRUB_NODE_COMMAND,
	GRUB_NODE_IF,
	GRUB_NODE_WHILE,
	GRUB_NODE_UNTIL,
	GRUB_NODE_FOR,
	GRUB_NODE_FUNCTION,
};

/* if and elif: one arm each; else: an arm without a condition. Loops: one arm. */
struct grub_arm {
	const struct grub_node *condition;
	const struct grub_node *body;
};

struct grub_node {
	enum grub_node_type type;
	uint64_t line;
	const char *name;              /* of a function, or of the variable of a `for` */
	LIST(struct grub_word) words;  /* of a command with its arguments; what `for` goes through */
	LIST(struct grub_arm) arms;    /* of if, while, until, for and function */
	const struct grub_node *block; /* the { ... } of a menuentry; NULL */
	struct grub_node *next;        /* the command behind this one */
};

struct grub_parser {
	struct grub_lexer lexer;
	struct grub_token token; /* not yet consumed */
	bool started;
	unsigned depth;
};

struct grub_parser grub_parser_of(struct span text, struct budget *budget, struct arena *arena);

/*
 * The next statement at the top level: GRUB too reads and runs them one by one. *out is NULL at the end.
 * After a syntax error (ERROR_CORRUPT) the next call goes on behind the line where it was found.
 */
NODISCARD bool grub_parser_next(struct grub_parser *parser, const struct grub_node **out,
                                struct error *error);
