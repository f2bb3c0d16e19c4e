#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void error_fill(struct error *error, enum error_code code, const char *format, ...)
{
	error->code = code;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
}

void error_add_context(struct error *error, const char *format, ...)
{
	char inner[sizeof(error->message)];
	memcpy(inner, error->message, sizeof(inner));

	va_list arguments;
	va_start(arguments, format);
	int used = vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	/* A context that alone fills the room leaves none for the cause: keep what fits. */
	if (used >= 0 && (size_t)used < sizeof(error->message))
		snprintf(error->message + used, sizeof(error->message) - (size_t)used, ": %s", inner);
}

void error_clear(struct error *error)
{
	*error = (struct error){ .code = ERROR_NONE };
}
