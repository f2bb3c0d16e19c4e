// A console, and what is fed to it: words, and what real machines said (tests/golden/console).
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "machine/console.h"

static struct arena arena;
static struct run run;
static struct console console;

static inline int set_up(void **state)
{
	(void)state;
	run = (struct run){ 0 };
	console_open(&console, &run, &arena);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	console_free(&console);
	arena_free(&arena);
	return 0;
}

static inline void again(void)
{
	console_free(&console);
	set_up(NULL);
}

static inline void feed(const char *text)
{
	console_feed(&console, span_text(text), 1, 2);
}

/* A log as it was recorded from ttyS0, `step` bytes at a time; the seconds count the bytes. */
static inline void feed_file(const char *name, size_t step)
{
	FILE *file = fopen(arena_printf(&arena, "%s/tests/golden/console/%s", SOURCE_ROOT, name), "rbe");
	assert_non_null(file);
	char bytes[512];
	size_t got, at = 0;
	while ((got = fread(bytes, 1, step, file)) > 0) {
		at += got;
		console_feed(&console, span_of(bytes, got), (double)at, 0);
	}
	fclose(file);
}

static inline void assert_line(size_t number, const char *text)
{
	assert_true(number <= console.lines.count);
	assert_string_equal(console.lines.items[number - 1].text, text);
}

static inline void assert_symptom(size_t index, const char *name, const char *pattern)
{
	assert_true(index < run.symptoms.count);
	const struct symptom *symptom = &run.symptoms.items[index];
	assert_string_equal(symptom->name, name);
	assert_non_null(symptom->message);
	if (!str_glob(pattern, symptom->place.text, false))
		fail_msg("%s by: %s", name, symptom->place.text);
}
