#include "cmd/screen.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_NARROWEST 40
#define WIDTH_WIDEST    500
#define WIDTH_TERMINAL  80  /* one that does not tell */
#define WIDTH_FILE      100 /* a pipe or file: the same for everyone, so that outputs compare */

static unsigned clamp_width(uint64_t columns)
{
	return columns < WIDTH_NARROWEST ? WIDTH_NARROWEST
	       : columns > WIDTH_WIDEST  ? WIDTH_WIDEST
	                                 : (unsigned)columns;
}

static unsigned screen_width(void)
{
	uint64_t columns;
	const char *wanted = getenv("COLUMNS");
	if (wanted && str_to_u64(wanted, &columns) && columns > 0)
		return clamp_width(columns);
	if (!isatty(STDOUT_FILENO))
		return WIDTH_FILE;
	struct winsize size;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return clamp_width(size.ws_col);
	return WIDTH_TERMINAL;
}

/* https://no-color.org: any value but the empty one. What was typed counts more than the environment. */
static bool screen_has_colour(enum colour colour)
{
	const char *off = getenv("NO_COLOR"), *terminal = getenv("TERM");
	if (colour != COLOUR_AUTO)
		return colour == COLOUR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(off && *off) && !str_equal(terminal, "dumb");
}

struct report_options screen_options(const struct options *options)
{
	return (struct report_options){
		.colour = screen_has_colour(options->colour),
		.quiet = options->quiet,
		.verbose = options->verbose,
		.width = screen_width(),
		.fail_on = options->fail_on,
		.version = SLIPWAY_VERSION,
	};
}
