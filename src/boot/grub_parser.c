#include "boot/grub_parser.h"

#include <inttypes.h>

#include "base/text.h"

struct grub_parser grub_parser_of(struct span text, struct budget *budget, struct arena *arena)
{
	return (struct grub_parser){ .lexer = grub_lexer_of(text, budget, arena) };
}

static bool advance(struct grub_parser *parser, struct error *error)
{
	return grub_lexer_next(&parser->lexer, &parser->token, error);
}

static bool at(const struct grub_parser *parser, enum grub_token_type type)
{
	return parser->token.type == type;
}

static bool at_keyword(const struct grub_parser *parser, const char *keyword)
{
	return at(parser, GRUB_TOKEN_WORD) && str_equal(parser->token.word.plain, keyword);
}

static bool syntax(const struct grub_parser *parser, struct error *error, const char *what)
{
	return error_set(error, ERROR_CORRUPT, "line %" PRIu64 ": syntax error: %s", parser->token.line,
	                 what);
}

static bool expect_keyword(struct grub_parser *parser, const char *keyword, struct error *error)
{
	if (!at_keyword(parser, keyword))
		return error_set(error, ERROR_CORRUPT, "line %" PRIu64 ": syntax error: `%s` expected",
		                 parser->token.line, keyword);
	return advance(parser, error);
}

static bool skip_newlines(struct grub_parser *parser, struct error *error)
{
	while (at(parser, GRUB_TOKEN_NEWLINE))
		if (!advance(parser, error))
			return false;
	return true;
}

static bool skip_delimiters(struct grub_parser *parser, struct error *error)
{
	while (at(parser, GRUB_TOKEN_NEWLINE) || at(parser, GRUB_TOKEN_SEMICOLON))
		if (!advance(parser, error))
			return false;
	return true;
}

/* Words that end a list of commands when they stand where a command would. */
static bool at_list_end(const struct grub_parser *parser)
{
	static const char *const enders[] = { "then", "elif", "else", "fi", "do", "done" };
	for (size_t i = 0; i < ARRAY_SIZE(enders); i++)
		if (at_keyword(parser, enders[i]))
			return true;
	return at(parser, GRUB_TOKEN_CLOSE) || at(parser, GRUB_TOKEN_END);
}

static struct grub_node *new_node(struct grub_parser *parser, enum grub_node_type type)
{
	struct grub_node *node = arena_alloc(parser->lexer.arena, sizeof(*node));
	node->type = type;
	node->line = parser->token.line;
	return node;
}

static bool parse_command(struct grub_parser *parser, struct grub_node **out, struct error *error);

/* One or more commands up to the word or bracket that ends them, which stays in parser->token. */
static bool parse_list(struct grub_parser *parser, const struct grub_node **out, struct error *error)
{
	struct grub_node *first = NULL, **link = &first;
	if (!skip_newlines(parser, error))
		return false;
	while (!at_list_end(parser)) {
		if (!parse_command(parser, link, error))
			return false;
		link = &(*link)->next;
		if (!at(parser, GRUB_TOKEN_NEWLINE) && !at(parser, GRUB_TOKEN_SEMICOLON) &&
		    !at(parser, GRUB_TOKEN_CLOSE))
			return syntax(parser, error, "a new line or `;` expected");
		if (!skip_delimiters(parser, error))
			return false;
	}
	if (!first)
		return syntax(parser, error, "a command expected");
	*out = first;
	return true;
}

static bool parse_block(struct grub_parser *parser, const struct grub_node **out, struct error *error)
{
	if (!at(parser, GRUB_TOKEN_OPEN))
		return syntax(parser, error, "`{` expected");
	if (!advance(parser, error) || !parse_list(parser, out, error))
		return false;
	if (!at(parser, GRUB_TOKEN_CLOSE))
		return syntax(parser, error, "`}` expected");
	return advance(parser, error);
}

static bool parse_words(struct grub_parser *parser, struct grub_node *node, struct error *error)
{
	while (at(parser, GRUB_TOKEN_WORD)) {
		*LIST_ADD(parser->lexer.arena, &node->words) = parser->token.word;
		if (!advance(parser, error))
			return false;
	}
	return true;
}

static bool parse_if(struct grub_parser *parser, struct grub_node *node, struct error *error)
{
	for (;;) {
		struct grub_arm *arm = LIST_ADD(parser->lexer.arena, &node->arms);
		if (!parse_list(parser, &arm->condition, error) || !expect_keyword(parser, "then", error) ||
		    !parse_list(parser, &arm->body, error))
			return false;
		if (!at_keyword(parser, "elif"))
			break;
		if (!advance(parser, error))
			return false;
	}
	if (at_keyword(parser, "else")) {
		struct grub_arm *arm = LIST_ADD(parser->lexer.arena, &node->arms);
		if (!advance(parser, error) || !parse_list(parser, &arm->body, error))
			return false;
	}
	return expect_keyword(parser, "fi", error);
}

static bool parse_loop(struct grub_parser *parser, struct grub_node *node, struct error *error)
{
	struct grub_arm *arm = LIST_ADD(parser->lexer.arena, &node->arms);
	if (node->type != GRUB_NODE_FOR && !parse_list(parser, &arm->condition, error))
		return false;
	return skip_delimiters(parser, error) && expect_keyword(parser, "do", error) &&
	       parse_list(parser, &arm->body, error) && expect_keyword(parser, "done", error);
}

static bool parse_name(struct grub_parser *parser, struct grub_node *node, struct error *error)
{
	if (!at(parser, GRUB_TOKEN_WORD) || !parser->token.word.plain)
		return syntax(parser, error, "a name expected");
	node->name = parser->token.word.plain;
	return advance(parser, error);
}

static bool parse_compound(struct grub_parser *parser, struct grub_node *node, struct error *error)
{
	if (!advance(parser, error))
		return false;
	switch (node->type) {
	case GRUB_NODE_IF:
		return parse_if(parser, node, error);
	case GRUB_NODE_FOR:
		return parse_name(parser, node, error) && expect_keyword(parser, "in", error) &&
		       parse_words(parser, node, error) && parse_loop(parser, node, error);
	case GRUB_NODE_FUNCTION:
		return parse_name(parser, node, error) && skip_newlines(parser, error) &&
		       parse_block(parser, &LIST_ADD(parser->lexer.arena, &node->arms)->body, error);
	default:
		return parse_loop(parser, node, error);
	}
}

static bool parse_command(struct grub_parser *parser, struct grub_node **out, struct error *error)
{
	static const struct {
		const char *keyword;
		enum grub_node_type type;
	} compounds[] = {
		{ "if", GRUB_NODE_IF },   { "while", GRUB_NODE_WHILE },       { "until", GRUB_NODE_UNTIL },
		{ "for", GRUB_NODE_FOR }, { "function", GRUB_NODE_FUNCTION },
	};
	if (!at(parser, GRUB_TOKEN_WORD))
		return syntax(parser, error, "a command expected");
	if (parser->depth >= GRUB_NESTING_MAX)
		return error_set(error, ERROR_LIMIT, "line %" PRIu64 ": blocks are nested more than %d deep",
		                 parser->token.line, GRUB_NESTING_MAX);
	parser->depth++;
	struct grub_node *node = new_node(parser, GRUB_NODE_COMMAND);
	for (size_t i = 0; i < ARRAY_SIZE(compounds); i++)
		if (at_keyword(parser, compounds[i].keyword))
			node->type = compounds[i].type;
	bool sound;
	if (node->type != GRUB_NODE_COMMAND)
		sound = parse_compound(parser, node, error);
	else
		sound = parse_words(parser, node, error) &&
		        (!at(parser, GRUB_TOKEN_OPEN) || parse_block(parser, &node->block, error));
	parser->depth--;
	*out = node;
	return sound;
}

static bool parse_statement(struct grub_parser *parser, const struct grub_node **out, struct error *error)
{
	if ((!parser->started && !advance(parser, error)) || !skip_delimiters(parser, error))
		return false;
	parser->started = true;
	*out = NULL;
	if (at(parser, GRUB_TOKEN_END))
		return true;
	if (at_list_end(parser))
		return syntax(parser, error, "a command expected");
	struct grub_node *node;
	if (!parse_command(parser, &node, error))
		return false;
	if (!at(parser, GRUB_TOKEN_NEWLINE) && !at(parser, GRUB_TOKEN_SEMICOLON) &&
	    !at(parser, GRUB_TOKEN_END))
		return syntax(parser, error, "a new line or `;` expected");
	*out = node;
	return true;
}

bool grub_parser_next(struct grub_parser *parser, const struct grub_node **out, struct error *error)
{
	parser->depth = 0;
	if (parse_statement(parser, out, error))
		return true;
	if (!at(parser, GRUB_TOKEN_NEWLINE))
		grub_lexer_skip_line(&parser->lexer);
	parser->started = false;
	return false;
}
