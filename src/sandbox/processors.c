#include "sandbox/processors.h"

void processors_stay_on_one(struct processors *before)
{
	cpu_set_t here;
	int processor = sched_getcpu();
	/* More processors than the set has room for: they are left alone. */
	before->known = sched_getaffinity(0, sizeof(before->allowed), &before->allowed) == 0;
	if (!before->known || processor < 0 || processor >= CPU_SETSIZE)
		return;
	CPU_ZERO(&here);
	CPU_SET((size_t)processor, &here);
	sched_setaffinity(0, sizeof(here), &here);
}

void processors_release(const struct processors *before)
{
	if (before->known)
		sched_setaffinity(0, sizeof(before->allowed), &before->allowed);
}
