#include "machine/metadata.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* The values never change, and so does their tag. */
#define TAG          "51197a7b9e3c2d10"
#define TREE         "/computeMetadata/v1/"
#define HEADERS_MOST 64

/* How long a request may wait for a change; a guest that asks for no limit gets this one. */
#define WAIT_MOST 86400

/* A request for which all that decides is known. */
struct asked {
	struct span method, path, query;
	bool flavor;     /* Metadata-Flavor: Google */
	bool forwarded;  /* X-Forwarded-For: a proxy asks, on behalf of who knows whom */
	bool keeps_open; /* HTTP/1.1 without Connection: close */
	bool damaged;
	uint64_t body; /* bytes behind the headers */
};

static bool span_equal_ignoring_case(struct span span, const char *text)
{
	return span.size == strlen(text) && strncasecmp((const char *)span.data, text, span.size) == 0;
}

static bool has_text(struct span span, const char *text)
{
	return span_find(span, 0, text, strlen(text)) != SIZE_MAX;
}

/* What stands before the first `end` goes to *word, *rest begins behind it. */
static bool cut(struct span *rest, char end, struct span *word)
{
	size_t at = span_find(*rest, 0, &end, 1);
	bool found = at != SIZE_MAX;
	*word = span_of(rest->data, found ? at : rest->size);
	*rest = span_from(*rest, found ? at + 1 : rest->size);
	return found;
}

static uint64_t to_number(struct span digits)
{
	uint64_t value = 0;
	for (size_t i = 0; i < digits.size && isdigit(digits.data[i]) && value < UINT32_MAX; i++)
		value = value * 10 + (uint64_t)(digits.data[i] - '0');
	return value;
}

static void read_first_line(struct span line, struct asked *asked)
{
	struct span target;
	bool three = cut(&line, ' ', &asked->method);
	three = cut(&line, ' ', &target) && three;
	if (!three || !span_has(line, 0, "HTTP/1.", 7))
		asked->damaged = true;
	asked->keeps_open = span_equal_text(line, "HTTP/1.1");
	asked->query = target;
	cut(&asked->query, '?', &asked->path);
	/* A proxy's form, which clients may use: http://host/path. */
	if (span_has(asked->path, 0, "http://", 7))
		asked->path = span_from(asked->path, span_find(asked->path, 7, "/", 1));
	if (!span_has(asked->path, 0, "/", 1))
		asked->damaged = true;
}

static void read_header(struct span line, struct asked *asked)
{
	struct span name;
	if (!cut(&line, ':', &name)) {
		asked->damaged = true;
		return;
	}
	struct span value = span_trim(line);
	if (span_equal_ignoring_case(name, "Metadata-Flavor") && span_equal_ignoring_case(value, "Google"))
		asked->flavor = true;
	else if (span_equal_ignoring_case(name, "X-Forwarded-For"))
		asked->forwarded = true;
	else if (span_equal_ignoring_case(name, "Connection") && span_equal_ignoring_case(value, "close"))
		asked->keeps_open = false;
	else if (span_equal_ignoring_case(name, "Content-Length"))
		asked->body = to_number(value);
	else if (span_equal_ignoring_case(name, "Transfer-Encoding"))
		asked->damaged = true; /* none of those who ask does */
}

/* The request up to the empty line; its size, 0: that is not there yet. */
static size_t read_request(struct span bytes, struct asked *asked)
{
	*asked = (struct asked){ 0 };
	size_t end = span_find(bytes, 0, "\r\n\r\n", 4);
	if (end == SIZE_MAX)
		return 0;
	struct span rest = span_of(bytes.data, end + 2), line;
	if (!span_next_line(&rest, &line))
		line = rest;
	read_first_line(span_trim(line), asked);
	for (size_t i = 0; span_next_line(&rest, &line); i++) {
		read_header(span_trim(line), asked);
		if (i >= HEADERS_MOST)
			asked->damaged = true;
	}
	return end + 4;
}

/* The value of a parameter of the query; empty: it has none. */
static struct span parameter(const struct asked *asked, const char *name)
{
	struct span rest = asked->query, pair, key;
	while (rest.size > 0) {
		cut(&rest, '&', &pair);
		cut(&pair, '=', &key);
		if (span_equal_text(key, name))
			return pair;
	}
	return (struct span){ 0 };
}

static void respond(struct metadata_reply *out, const struct asked *asked, const char *status,
                    const char *type, const char *more, struct span body)
{
	text_printf(&out->response,
	            "HTTP/1.1 %s\r\nMetadata-Flavor: Google\r\nContent-Type: %s\r\n%s"
	            "Server: Metadata Server for VM\r\nContent-Length: %zu\r\n"
	            "X-XSS-Protection: 0\r\nX-Frame-Options: SAMEORIGIN\r\n%s\r\n",
	            status, type, more, body.size, out->close ? "Connection: close\r\n" : "");
	if (!span_equal_text(asked->method, "HEAD"))
		text_add_span(&out->response, body);
}

static void refuse(struct metadata_reply *out, const struct asked *asked, const char *status)
{
	struct text page = { 0 };
	text_printf(&page, "<!DOCTYPE html>\n<html lang=en>\n<title>Error %s</title>\n", status);
	respond(out, asked, status, "text/html; charset=UTF-8", "", span_of(page.data, page.size));
	text_free(&page);
}

/* The path below the tree with single slashes, without those at its ends; *slash: it had one at its end. */
static void plain_path(struct span path, struct text *out, bool *slash)
{
	struct span word;
	*slash = path.size == 0 || path.data[path.size - 1] == '/';
	while (path.size > 0) {
		cut(&path, '/', &word);
		if (word.size == 0)
			continue;
		if (out->size > 0)
			text_add_char(out, '/');
		text_add_span(out, word);
	}
}

/* Is this one to wait for a change, of which there will be none? */
static double waits(const struct asked *asked)
{
	if (!span_equal_text(parameter(asked, "wait_for_change"), "true"))
		return 0;
	struct span tag = parameter(asked, "last_etag"), limit = parameter(asked, "timeout_sec");
	if (tag.size > 0 && !span_equal_text(tag, TAG))
		return 0; /* it knows another state, or none: this one is news */
	uint64_t seconds = to_number(limit);
	return limit.size > 0 && seconds < WAIT_MOST ? (double)seconds : WAIT_MOST;
}

static void answer_tree(struct metadata_reply *out, const struct asked *asked)
{
	struct text path = { 0 }, value = { 0 };
	bool slash, directory = false;
	struct span alt = parameter(asked, "alt");
	bool recursive = span_equal_ignoring_case(parameter(asked, "recursive"), "true");
	plain_path(span_from(asked->path, sizeof(TREE) - 1), &path, &slash);
	/* What is recursive is JSON unless text is asked for. */
	bool json = span_equal_text(alt, "json") || (recursive && !span_equal_text(alt, "text"));
	if (!metadata_value(text_get(&path), json, recursive, &value, &directory)) {
		refuse(out, asked, "404 Not Found");
	} else if (directory && !slash) {
		struct text where = { 0 };
		text_printf(&where, "Location: http://metadata.google.internal" TREE "%s/%s%.*s\r\n",
		            text_get(&path), asked->query.size ? "?" : "", (int)asked->query.size,
		            asked->query.size ? (const char *)asked->query.data : "");
		respond(out, asked, "301 Moved Permanently", "text/html", text_get(&where),
		        (struct span){ 0 });
		text_free(&where);
	} else {
		out->wait_seconds = waits(asked);
		out->outcome = out->wait_seconds > 0 ? METADATA_WAIT : METADATA_ANSWER;
		respond(out, asked, "200 OK", json ? "application/json" : "application/text",
		        "ETag: " TAG "\r\n", span_of(text_get(&value), value.size));
	}
	text_free(&path);
	text_free(&value);
}

static void answer(struct metadata_reply *out, const struct asked *asked)
{
	bool reads = span_equal_text(asked->method, "GET") || span_equal_text(asked->method, "HEAD");
	if (span_equal_text(asked->path, "/") && reads)
		respond(out, asked, "200 OK", "application/text", "", span_text("0.1/\ncomputeMetadata/\n"));
	else if (span_equal_text(asked->path, "/computeMetadata/") && reads)
		respond(out, asked, "200 OK", "application/text", "", span_text("v1/\n"));
	else if (!asked->flavor || asked->forwarded)
		refuse(out, asked, "403 Forbidden");
	else if (!reads && has_text(asked->path, "/guest-attributes/"))
		refuse(out, asked, "403 Forbidden"); /* they are not enabled */
	else if (!reads)
		refuse(out, asked, "405 Method Not Allowed");
	else if (span_has(asked->path, 0, TREE, sizeof(TREE) - 1))
		answer_tree(out, asked);
	else
		refuse(out, asked, "404 Not Found");
}

void metadata_answer(struct span bytes, struct metadata_reply *out)
{
	struct asked asked;
	*out = (struct metadata_reply){ .outcome = METADATA_MORE };
	size_t size = read_request(bytes, &asked);
	bool too_long = size > METADATA_REQUEST_MOST || (size == 0 && bytes.size > METADATA_REQUEST_MOST) ||
	                asked.body > METADATA_REQUEST_MOST;
	if (!too_long && (size == 0 || size + asked.body > bytes.size))
		return;
	out->outcome = METADATA_ANSWER;
	out->consumed = too_long ? bytes.size : size + asked.body;
	out->close = too_long || asked.damaged || !asked.keeps_open;
	if (too_long || asked.damaged) {
		refuse(out, &asked, "400 Bad Request");
		return;
	}
	text_add_clean(&out->path, asked.path);
	answer(out, &asked);
}

void metadata_reply_free(struct metadata_reply *reply)
{
	text_free(&reply->path);
	text_free(&reply->response);
}
