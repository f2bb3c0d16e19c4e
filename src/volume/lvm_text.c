// The grammar of LVM2's metadata, which is that of its configuration files (libdm's dm_config):
//
//   file     = entry ...
//   entry    = name "{" entry ... "}"  |  name "=" value  |  name "=" "[" [ value { "," value } ] "]"
//   value    = number | string in double quotes, with \" and \\ for those two characters
//   comment  = "#" to the end of the line, wherever blanks may stand
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "volume/lvm.h"

/* Volume group, logical_volumes, a volume, its segment: LVM nests no deeper. */
#define DEPTH_MOST 16
/* A volume costs some forty nodes. */
#define NODES_MOST 200000

struct parser {
	struct span text;
	size_t at;
	size_t nodes;
	struct budget *budget;
	struct arena *arena;
	struct error *error;
	struct lvm_node *open[DEPTH_MOST];  /* the sections around the next entry, outermost first */
	struct lvm_node **next[DEPTH_MOST]; /* where the next entry of each goes */
	size_t depth;
};

static bool fail(struct parser *parser, const char *what)
{
	return error_set(parser->error, ERROR_CORRUPT, "%s at byte %zu of the text", what, parser->at);
}

/* The next byte that counts; 0 at the end. The text on the disk ends with a NUL. */
static char peek(struct parser *parser)
{
	const struct span *text = &parser->text;
	while (parser->at < text->size) {
		char byte = (char)text->data[parser->at];
		if (byte == '#')
			while (parser->at < text->size && text->data[parser->at] != '\n')
				parser->at++;
		else if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r')
			parser->at++;
		else
			return byte;
	}
	return 0;
}

static bool take(struct parser *parser, char wanted)
{
	if (peek(parser) != wanted)
		return false;
	parser->at++;
	return true;
}

static bool is_word_byte(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
	       (byte && strchr("_-.+/", byte));
}

/* A run of letters, digits and the like: a name, or a number. */
static const char *take_word(struct parser *parser)
{
	(void)peek(parser);
	size_t start = parser->at;
	while (parser->at < parser->text.size && is_word_byte(parser->text.data[parser->at]))
		parser->at++;
	return arena_string(parser->arena, span_of(parser->text.data + start, parser->at - start));
}

static struct lvm_node *add_node(struct parser *parser, struct lvm_node ***next)
{
	if (parser->nodes++ >= NODES_MOST) {
		error_fill(parser->error, ERROR_LIMIT, "the text has more than %d entries", NODES_MOST);
		return NULL;
	}
	if (!budget_step(parser->budget, 1, "the metadata of LVM", parser->error))
		return NULL;
	struct lvm_node *node = arena_alloc(parser->arena, sizeof(*node));
	**next = node;
	*next = &node->next;
	return node;
}

static bool parse_string(struct parser *parser, struct lvm_node *node)
{
	struct text string CLEANUP(text_free) = { 0 };
	const struct span *text = &parser->text;
	for (parser->at++; parser->at < text->size && text->data[parser->at] != '"'; parser->at++) {
		if (text->data[parser->at] == '\\' && ++parser->at == text->size)
			break;
		text_add_char(&string, (char)text->data[parser->at]);
	}
	if (parser->at == text->size)
		return fail(parser, "a string without an end");
	parser->at++;
	node->kind = LVM_STRING;
	node->text = arena_strdup(parser->arena, text_get(&string));
	return true;
}

static bool parse_scalar(struct parser *parser, struct lvm_node *node)
{
	if (peek(parser) == '"')
		return parse_string(parser, node);
	node->kind = LVM_NUMBER;
	node->text = take_word(parser);
	/* Signs and fractions are of the grammar, but nothing that is asked for here has them. */
	if (!strchr("0123456789-+.", node->text[0]) || !node->text[0])
		return fail(parser, "neither a number nor a string");
	if (!str_to_u64(node->text, &node->number))
		node->kind = LVM_STRING;
	return true;
}

static bool parse_value(struct parser *parser, struct lvm_node *node)
{
	if (!take(parser, '['))
		return parse_scalar(parser, node);
	struct lvm_node **next = &node->first;
	node->kind = LVM_LIST;
	while (!take(parser, ']')) {
		struct lvm_node *value = add_node(parser, &next);
		if (!value || !parse_scalar(parser, value))
			return false;
		if (!take(parser, ',') && peek(parser) != ']')
			return fail(parser, "a list that goes on without a comma");
	}
	return true;
}

static bool open_section(struct parser *parser, struct lvm_node *node)
{
	if (parser->depth == DEPTH_MOST)
		return error_set(parser->error, ERROR_LIMIT, "sections inside each other more than %d deep",
		                 DEPTH_MOST);
	node->kind = LVM_SECTION;
	parser->open[parser->depth] = node;
	parser->next[parser->depth++] = &node->first;
	return true;
}

static bool parse_entry(struct parser *parser)
{
	struct lvm_node *node = add_node(parser, &parser->next[parser->depth - 1]);
	if (!node)
		return false;
	node->name = take_word(parser);
	if (!*node->name)
		return fail(parser, "no name of an entry");
	if (take(parser, '{'))
		return open_section(parser, node);
	if (!take(parser, '='))
		return fail(parser, "a name with neither a value nor a section");
	return parse_value(parser, node);
}

bool lvm_parse(struct span text, struct budget *budget, struct arena *arena, const struct lvm_node **root,
               struct error *error)
{
	size_t end = span_find(text, 0, "", 1);
	struct lvm_node *file = arena_alloc(arena, sizeof(*file));
	struct parser parser = {
		.text = span_of(text.data, end < text.size ? end : text.size),
		.budget = budget,
		.arena = arena,
		.error = error,
	};
	if (!open_section(&parser, file))
		return false;
	while (peek(&parser)) {
		if (!take(&parser, '}')) {
			if (!parse_entry(&parser))
				return false;
		} else if (--parser.depth == 0) {
			return fail(&parser, "a brace that closes nothing");
		}
	}
	if (parser.depth != 1)
		return fail(&parser, "a section without an end");
	*root = file;
	return true;
}

const struct lvm_node *lvm_find(const struct lvm_node *section, const char *name)
{
	if (!section || section->kind != LVM_SECTION)
		return NULL;
	for (const struct lvm_node *node = section->first; node; node = node->next)
		if (str_equal(node->name, name))
			return node;
	return NULL;
}

const char *lvm_string(const struct lvm_node *section, const char *name)
{
	const struct lvm_node *node = lvm_find(section, name);
	return node && node->kind == LVM_STRING ? node->text : NULL;
}

bool lvm_number(const struct lvm_node *section, const char *name, uint64_t *out)
{
	const struct lvm_node *node = lvm_find(section, name);
	if (!node || node->kind != LVM_NUMBER)
		return false;
	*out = node->number;
	return true;
}

bool lvm_list_has(const struct lvm_node *section, const char *name, const char *word)
{
	const struct lvm_node *list = lvm_find(section, name);
	for (const struct lvm_node *node = list && list->kind == LVM_LIST ? list->first : NULL; node;
	     node = node->next)
		if (node->kind == LVM_STRING && str_equal(node->text, word))
			return true;
	return false;
}

static const struct lvm_node *section_from(const struct lvm_node *node)
{
	while (node && node->kind != LVM_SECTION)
		node = node->next;
	return node;
}

const struct lvm_node *lvm_first_section(const struct lvm_node *section)
{
	return section && section->kind == LVM_SECTION ? section_from(section->first) : NULL;
}

const struct lvm_node *lvm_next_section(const struct lvm_node *section)
{
	return section_from(section->next);
}
