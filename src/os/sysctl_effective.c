// What an interface makes of conf.all and its own setting. The page's keys are literal; a packet meets the
// combination.
//
// Source: Documentation/networking/ip-sysctl.rst, "conf/all/*" and the descriptions of each key.
#include <string.h>

#include "os/sysctl_private.h"

static const struct sysctl_cell *cell_of(const struct sysctl_kernel *kernel, const char *scope,
                                         const char *name, struct arena *arena)
{
	return sysctl_kernel_cell(kernel, arena_printf(arena, "net/ipv4/conf/%s/%s", scope, name));
}

/* Chooses which of the two decides; NULL when that is not known. `own` is the interface's. */
static const struct sysctl_cell *decide(enum sysctl_combine combine, const struct sysctl_cell *all,
                                        const struct sysctl_cell *own)
{
	int64_t a = 0, b = 0;
	bool knows_a = all->value && sysctl_number(all->value, &a);
	bool knows_b = own->value && sysctl_number(own->value, &b);
	switch (combine) {
	case SYSCTL_COMBINE_AND:
		if (knows_b && b == 0)
			return own;
		if (knows_a && a == 0)
			return all;
		return knows_a && knows_b ? own : NULL;
	case SYSCTL_COMBINE_OR:
		if (knows_b && b != 0)
			return own;
		if (knows_a && a != 0)
			return all;
		return knows_a && knows_b ? own : NULL;
	case SYSCTL_COMBINE_MAX:
		if (!knows_a || !knows_b)
			return NULL;
		return a > b ? all : own;
	default:
		return knows_b ? own : NULL;
	}
}

static const char *combine_text(enum sysctl_combine combine)
{
	switch (combine) {
	case SYSCTL_COMBINE_AND:
		return "both must be set";
	case SYSCTL_COMBINE_OR:
		return "either is enough";
	case SYSCTL_COMBINE_MAX:
		return "the larger counts";
	default:
		return "its own counts";
	}
}

/* accept_redirects asks for both on an interface that forwards, and for either on one that does not. */
static enum sysctl_combine redirects(const struct sysctl_kernel *kernel, struct arena *arena)
{
	int64_t forwards = 0;
	const struct sysctl_cell *cell = cell_of(kernel, SYSCTL_INTERFACE, "forwarding", arena);
	bool known = cell && cell->value && sysctl_number(cell->value, &forwards);
	return known && forwards ? SYSCTL_COMBINE_AND : SYSCTL_COMBINE_OR;
}

void sysctl_effective(const struct sysctl_kernel *kernel, const char *path, struct arena *arena,
                      struct sysctl *out)
{
	const char *scope;
	size_t length;
	const struct sysctl_interface_key *key = sysctl_interface_key(path, &scope, &length);
	out->effective = out->value;
	out->effective_place = out->place;
	if (strcmp(path, "net/ipv4/ip_forward") == 0) {
		static const struct sysctl_interface_key forwarding = { .name = "forwarding" };
		key = &forwarding;
	}
	if (!key || out->source == SYSCTL_ABSENT)
		return;
	const struct sysctl_cell *all = cell_of(kernel, "all", key->name, arena);
	const struct sysctl_cell *own = cell_of(kernel, SYSCTL_INTERFACE, key->name, arena);
	if (!all || !own)
		return;
	enum sysctl_combine combine = key->combine;
	if (combine == SYSCTL_COMBINE_REDIRECTS)
		combine = redirects(kernel, arena);
	const struct sysctl_cell *decides = decide(combine, all, own);
	if (!decides) {
		out->effective = NULL;
		return;
	}
	out->effective = decides->value;
	out->effective_place = decides->place;
	if (!str_equal(out->effective, out->value))
		out->reason =
			arena_printf(arena,
		                     "%s%san interface (%s) ends up with %s: conf.all.%s is %s, "
		                     "conf.%s.%s is %s, %s",
		                     out->reason, *out->reason ? "; " : "", kernel->interface, out->effective,
		                     key->name, all->value ? all->value : "unknown", kernel->interface,
		                     key->name, own->value ? own->value : "unknown", combine_text(combine));
}
