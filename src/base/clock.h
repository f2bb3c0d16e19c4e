// A clock that only goes forward.
#pragma once

#include <time.h>

/* Seconds since some moment in the past: for differences. */
static inline double seconds_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
