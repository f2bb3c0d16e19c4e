// The platform's metadata server, as a function of bytes: HTTP requests in, responses out.
#pragma once

#include "base/text.h"

/* A request that is longer than this is refused. */
#define METADATA_REQUEST_MOST 8192

enum metadata_outcome {
	METADATA_MORE,   /* the request is not complete */
	METADATA_ANSWER, /* the response is to be sent now */
	METADATA_WAIT,   /* ... after `wait_seconds`: it waits for a change, and there is none */
};

struct metadata_reply {
	enum metadata_outcome outcome;
	size_t consumed; /* bytes of the request */
	bool close;      /* the connection is to be closed behind the response */
	double wait_seconds;
	struct text path;     /* as asked for, without the query; owned */
	struct text response; /* owned */
};

/* Looks at the first request in `bytes`. metadata_reply_free() for what it filled. */
void metadata_answer(struct span bytes, struct metadata_reply *out);
void metadata_reply_free(struct metadata_reply *reply);

/* metadata_values.c: what there is, below /computeMetadata/v1/. */
enum metadata_kind {
	METADATA_TEXT,
	METADATA_NUMBER,    /* in JSON without quotation marks */
	METADATA_LIST,      /* lines; in JSON an array of strings */
	METADATA_DIRECTORY, /* of which nothing else is known: an empty one */
};

struct metadata_row {
	const char *path; /* "instance/disks/0/mode" */
	const char *value;
	enum metadata_kind kind;
};

extern const struct metadata_row
	metadata_rows[]; /* what is below one directory stands together; a NULL path ends */

/*
 * The values at `path` ("" or without slashes at either end): as text or JSON, a directory as the list of
 * what is in it or as everything below it. False: there is no such path. *directory tells which it was.
 */
NODISCARD bool metadata_value(const char *path, bool json, bool recursive, struct text *out, bool *directory);
