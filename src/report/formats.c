#include "report/views.h"

const struct report_format report_formats[] = {
	{ "text", text_check, text_inspect },
	{ "json", json_check, json_inspect },
	{ 0 },
};
