#include "cmd/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define WIDTH_UNKNOWN 80
#define REDRAW        0.2 /* seconds */
#define TO_THE_START  "\r\033[K"

struct progress progress_start(const char *firmware, bool quiet, bool console)
{
	return (struct progress){
		.firmware = firmware,
		.quiet = quiet,
		.live = isatty(STDERR_FILENO) && !console,
		.last = -1,
	};
}

static unsigned screen_columns(void)
{
	struct winsize size;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : WIDTH_UNKNOWN;
}

/* The beginning of UTF-8 text that fits `columns`. */
static size_t cut(const char *text, unsigned columns)
{
	mbstate_t state = { 0 };
	size_t at = 0;
	unsigned used = 0;
	while (text[at]) {
		wchar_t character;
		size_t length = mbrtowc(&character, text + at, strlen(text + at), &state);
		if (length == 0 || length > 8)
			break;
		int wide = wcwidth(character);
		used += wide > 0 ? (unsigned)wide : 0;
		if (used > columns)
			break;
		at += length;
	}
	return at;
}

void progress_line(const struct progress *progress, const struct machine_progress *now, unsigned width,
                   struct text *out)
{
	struct text line CLEANUP(text_free) = { 0 };
	text_printf(&line, "%s %3.0f s  %-8s  ", progress->firmware, now->seconds,
	            now->doing ? "proving" : run_phase_names[now->phase]);
	/* What comes from the guest may drive no terminal. */
	const char *what = now->doing ? now->doing : now->last_line;
	text_add_clean(&line, span_text(what ? what : ""));
	/* The last column stays free: some terminals go on to the next line behind it. */
	text_add_span(out, span_of(text_get(&line), cut(text_get(&line), width > 1 ? width - 1 : 1)));
}

/* In a log: when each phase was reached, once. */
static void say_phase(struct progress *progress, const struct machine_progress *now)
{
	unsigned bit = 1u << now->phase;
	if (progress->phases & bit)
		return;
	progress->phases |= bit;
	fprintf(stderr, "slipway: %s: %s after %.1f s\n", progress->firmware, run_phase_names[now->phase],
	        now->seconds);
}

void progress_show(void *context, const struct machine_progress *now)
{
	struct progress *progress = context;
	if (progress->quiet || now->phase >= RUN_PHASES)
		return;
	if (!progress->live) {
		say_phase(progress, now);
		return;
	}
	if (progress->last >= 0 && now->seconds - progress->last < REDRAW)
		return;
	struct text line CLEANUP(text_free) = { 0 };
	progress_line(progress, now, screen_columns(), &line);
	fprintf(stderr, TO_THE_START "%s", text_get(&line));
	progress->shown = true;
	progress->last = now->seconds;
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs(TO_THE_START, stderr);
	progress->shown = false;
}
