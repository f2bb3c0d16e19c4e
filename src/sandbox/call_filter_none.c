// Built without libseccomp: there is no filter.
#include "sandbox/lockdown.h"

bool call_filter_available(void)
{
	return false;
}

void call_filter_install(const struct worker_access *access, int output)
{
	(void)access;
	(void)output;
}

void call_filter_install_server(void)
{
}

void call_filter_install_machine(void)
{
}
