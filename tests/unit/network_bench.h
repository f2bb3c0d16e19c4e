// Requests to the servers of the guest's network.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/text.h"

static struct text bytes, reply;

static inline int tear_down(void **state)
{
	(void)state;
	text_free(&bytes);
	text_free(&reply);
	return 0;
}
