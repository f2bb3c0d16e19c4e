// What systemd says that it waits for. A line of this kind is printed again and again while nothing else
// happens:
//
//   [ ***  ] (1 of 2) A start job is running for Wait for Network (1min 2s / no limit)
//   [***   ] Job dev-sdz.device/start running (12s / 1min 30s): what the unit says of itself
#include <string.h>

#include "machine/console.h"

/* "1h 2min 3s", "no limit". Of what is no span of time: 0. */
static double span_seconds(const char *text, size_t size)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = { { "s", 1 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 }, { "w", 7 * 86400.0 } };
	double sum = 0;
	for (size_t at = 0; at < size;) {
		double number = 0, one = 0;
		size_t digits = strspn(text + at, "0123456789");
		if (digits == 0 || digits > 9)
			return 0;
		for (size_t i = 0; i < digits; i++)
			number = number * 10 + (text[at + i] - '0');
		at += digits;
		size_t length = strspn(text + at, "abcdefghijklmnopqrstuvwxyz");
		for (size_t i = 0; i < ARRAY_SIZE(units); i++)
			if (strlen(units[i].unit) == length && strncmp(units[i].unit, text + at, length) == 0)
				one = units[i].seconds;
		if (one == 0)
			return 0;
		sum += number * one;
		at += length;
		at += strspn(text + at, " ");
	}
	return sum;
}

/* Where the words that name the unit begin and end. */
static bool find_name(const char *line, struct span *name, const char **behind)
{
	static const char is_running[] = " job is running for ", running[] = " running (";
	const char *at = strstr(line, is_running), *begin, *end = NULL;
	if (at) {
		begin = at + strlen(is_running);
		/* A description may hold brackets as well. */
		for (at = strstr(begin, " ("); at; at = strstr(at + 1, " ("))
			end = at;
		*behind = end ? end + 2 : NULL;
	} else {
		begin = strstr(line, "Job ");
		end = begin ? strstr(begin, running) : NULL;
		*behind = end ? end + strlen(running) : NULL;
		begin = begin ? begin + strlen("Job ") : NULL;
		/* "/start": its name has none. */
		while (end && end > begin && *end != '/')
			end--;
	}
	if (!begin || !end || end <= begin)
		return false;
	*name = span_of(begin, (size_t)(end - begin));
	return true;
}

/* The place of a job that was shown before, or that of the one whose last line is the oldest. */
static struct console_job *place_of(struct console *console, const char *name)
{
	struct console_job *oldest = &console->jobs[0];
	for (size_t i = 0; i < CONSOLE_JOBS_MOST; i++) {
		struct console_job *job = &console->jobs[i];
		if (str_equal(job->name, name))
			return job;
		if (job->line < oldest->line)
			oldest = job;
	}
	return oldest;
}

bool console_read_job(struct console *console, const char *line, struct span *name)
{
	const char *behind = NULL;
	size_t eye = line[0] == '[' ? strspn(line + 1, "* ") : 0;
	if (eye == 0 || line[1 + eye] != ']' || !memchr(line, '*', eye + 1) ||
	    !find_name(line + eye, name, &behind))
		return false;
	const char *limit = strstr(behind, " / "), *end = limit ? strchr(limit, ')') : NULL;
	if (!end)
		return false;
	char text[sizeof(console->jobs[0].name)] = "";
	size_t length = name->size < sizeof(text) ? name->size : sizeof(text) - 1;
	/* Not in the middle of a letter. */
	while (length < name->size && length > 0 && (name->data[length] & 0xc0) == 0x80)
		length--;
	memcpy(text, name->data, length);
	struct console_job *job = place_of(console, text);
	memcpy(job->name, text, sizeof(text));
	limit += strlen(" / ");
	job->limit = span_seconds(limit, (size_t)(end - limit));
	job->seconds = console->seconds;
	job->line = console->line_count + 1;
	return true;
}

const struct console_job *console_next_job(const struct console *console, const struct console_job *job)
{
	double last = 0;
	for (size_t i = 0; i < CONSOLE_JOBS_MOST; i++)
		last = console->jobs[i].seconds > last ? console->jobs[i].seconds : last;
	for (job = job ? job + 1 : console->jobs; job < console->jobs + CONSOLE_JOBS_MOST; job++)
		if (job->line > 0 && job->seconds >= last - CONSOLE_JOB_SHOWN &&
		    console->seconds <= last + CONSOLE_JOB_SHOWN)
			return job;
	return NULL;
}
