// The command line that a kernel ends up with, and what single parameters on it do.
#pragma once

#include "policy/outcome.h"
#include "policy/predicate.h"

/* Fills context->command_line: the entry's, with what CONFIG_CMDLINE adds to it or puts in its place. */
void command_line_find(struct context *context);

/*
 * The value of the n-th (from 0) word `name` or `name=value`, in the arena; "" for the bare word, NULL when
 * there are no more.
 */
const char *command_line_value(const struct context *context, const char *name, size_t n);

/* The value of the last one; NULL: there is none. */
const char *command_line_last(const struct context *context, const char *name);

/* Is `word` one of the values in a comma-separated list? */
bool list_has(const char *list, const char *word);

/* The first of the rule's defeating words that the command line has, as it stands; NULL: none. */
const char *command_line_defeat(const struct context *context, const struct predicate *predicate);
