// What the standard output is: a terminal or not, how wide, in colour or not.
#pragma once

#include "cmd/options.h"
#include "report/report.h"

struct report_options screen_options(const struct options *options);
