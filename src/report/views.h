// The views of the formats, as formats.c lists them; private to report/.
#pragma once

#include "report/layout.h"
#include "report/report.h"

void text_check(FILE *out, const struct policy *policy, const struct report_input *inputs, size_t count,
                const struct report_options *options);
void text_inspect(FILE *out, const struct report_input *input, const struct report_options *options);
void json_check(FILE *out, const struct policy *policy, const struct report_input *inputs, size_t count,
                const struct report_options *options);
void json_inspect(FILE *out, const struct report_input *input, const struct report_options *options);

/* The end of a checked input: how each section did, and one line with the verdict. */
void text_summary(const struct layout *layout, const struct judgement *judgement);
void text_closing(const struct layout *layout, const struct report_input *input,
                  const struct report_options *options);

/* The runs of an input: in full, or in a line each. */
void text_runs(const struct layout *layout, const struct report_input *input,
               const struct report_options *options);
