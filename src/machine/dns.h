// The platform's resolver, as a function of bytes: it knows the metadata server and the machine itself, and
// says of every other name that there is none, so that a guest does not wait.
#pragma once

#include "base/text.h"

/* The answer to a query. False: it is none, and gets no answer. */
NODISCARD bool dns_answer(struct span query, struct text *out);
