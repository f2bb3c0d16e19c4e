// A judgement in the making: what is judged, and the finding that it leads to.
#pragma once

#include "policy/policy.h"

/* What one judgement looks at. Borrowed for its time. */
struct context {
	const struct facts *facts;
	const struct kernel *kernel;    /* NULL: there is none to judge */
	const struct boot_entry *entry; /* that boots it; NULL: not known */
	const char *release;            /* of the kernel; NULL: not known */
	const char *arch;               /* "x86_64", "i386", "arm64"; NULL: not known */
	const char *command_line;       /* as the kernel ends up with it; NULL: not known */
	struct place command_line_place;
	const char *family; /* "debian", "rhel", "suse", ...: whose tools a fix names; "" */
	struct arena *arena;
};

/* What a failure of a rule that decides the boot does to it. */
enum boot_effect {
	BOOT_STOPS = 0, /* the rule of thumb */
	BOOT_MAY_STOP,
	BOOT_GOES_ON,
};

struct outcome {
	struct finding finding;
	enum boot_effect effect;
	const char *modules; /* that are missing, for the fix; "" */
};

/* Sets verdict and reason. */
void outcome_set(const struct context *context, struct outcome *outcome, enum verdict verdict,
                 const char *format, ...) PRINTF(4, 5);

/* Nothing is known, since there is no kernel to judge. */
void outcome_no_kernel(const struct context *context, struct outcome *outcome);

/* Puts more behind the reason. */
void outcome_remark(const struct context *context, struct outcome *outcome, const char *format, ...)
	PRINTF(3, 4);

/* Adds a place as evidence, once; none when it says nothing. */
void outcome_evidence(const struct context *context, struct outcome *outcome, const struct place *place);

/* Is a root file system a part of this kind of input? */
bool has_root_files(const struct facts *facts);

/* The graver of two: fail, unknown, pass, n/a. */
enum verdict verdict_worse(enum verdict a, enum verdict b);
