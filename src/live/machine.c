#include "live/machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "live/ethtool.h"

static char *copy(const char *text)
{
	size_t size = strlen(text) + 1;
	return memcpy(xmalloc(size), text, size);
}

void machine_ask(struct machine_answers *out)
{
	struct utsname names;
	struct text offloads = { 0 };
	*out = (struct machine_answers){ .root = geteuid() == 0 };
	if (uname(&names) == 0) {
		out->release = copy(names.release);
		out->hardware = copy(names.machine);
	}
	if (ethtool_ask(&offloads))
		out->offloads = copy(text_get(&offloads));
	text_free(&offloads);
}

void machine_answers_free(struct machine_answers *answers)
{
	free(answers->release);
	free(answers->hardware);
	free(answers->offloads);
	*answers = (struct machine_answers){ 0 };
}
