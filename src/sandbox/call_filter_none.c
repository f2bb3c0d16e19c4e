// Built without libseccomp: there is no filter.
#include "sandbox/lockdown.h"

bool call_filter_available(void)
{
	return false;
}

void call_filter_install(int input, int output)
{
	(void)input;
	(void)output;
}
