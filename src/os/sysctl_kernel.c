// The kernel's side of a write under /proc/sys: which values it takes, and what else a write changes.
//
// Sources: Documentation/networking/ip-sysctl.rst and Documentation/admin-guide/sysctl/ of the kernel; the
// behaviour was compared with a running one in a network namespace (tests/oracle/).
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "os/sysctl_private.h"

/* The kernel copies a number into a buffer of this size before it looks at it. */
#define NUMBER_MOST 21
/* Of what is said about one key. */
#define REASON_MOST ((size_t)500)

static int by_path(const void *a, const void *b)
{
	const struct sysctl_cell *first = a, *second = b;
	return strcmp(first->path, second->path);
}

void sysctl_kernel_start(const struct sysctl_system *system, const struct names *paths, struct arena *arena,
                         struct sysctl_kernel *out)
{
	*out = (struct sysctl_kernel){ .system = system, .arena = arena, .interface = SYSCTL_INTERFACE };
	out->cells = arena_alloc_array(arena, paths->count, sizeof(*out->cells));
	for (size_t i = 0; i < paths->count; i++)
		out->cells[i].path = paths->items[i];
	if (paths->count > 1)
		qsort(out->cells, paths->count, sizeof(*out->cells), by_path);
	for (size_t i = 0; i < paths->count; i++)
		if (out->count == 0 || strcmp(out->cells[out->count - 1].path, out->cells[i].path) != 0)
			out->cells[out->count++] = out->cells[i];
	for (size_t i = 0; i < out->count; i++)
		sysctl_default(system, out->cells[i].path, arena, &out->cells[i]);
}

struct sysctl_cell *sysctl_kernel_cell(const struct sysctl_kernel *kernel, const char *path)
{
	struct sysctl_cell wanted = { .path = path };
	if (kernel->count == 0)
		return NULL;
	return bsearch(&wanted, kernel->cells, kernel->count, sizeof(wanted), by_path);
}

static unsigned digit_of(char character)
{
	if (character >= '0' && character <= '9')
		return (unsigned)(character - '0');
	if (character >= 'a' && character <= 'f')
		return (unsigned)(character - 'a') + 10;
	if (character >= 'A' && character <= 'F')
		return (unsigned)(character - 'A') + 10;
	return 16;
}

bool sysctl_number(const char *text, int64_t *out)
{
	text += strspn(text, " \t\n\v\f\r");
	const char *begin = text;
	bool negative = *text == '-';
	text += negative;
	if (*text < '0' || *text > '9')
		return false;
	unsigned base = 10;
	if (text[0] == '0') {
		bool hex = (text[1] == 'x' || text[1] == 'X') && digit_of(text[2]) < 16;
		base = hex ? 16 : 8;
		text += hex ? 2 : 0;
	}
	uint64_t value = 0;
	for (; digit_of(*text) < base; text++)
		if (!mul_u64(value, base, &value) || !add_u64(value, digit_of(*text), &value))
			return false;
	/* White space ends a number, and whatever follows that is not looked at. */
	if ((*text && !strchr(" \t\n", *text)) || text - begin >= NUMBER_MOST || value > INT64_MAX)
		return false;
	*out = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

static bool number_of(const struct sysctl_cell *cell, int64_t *out)
{
	return cell && cell->value && sysctl_number(cell->value, out);
}

/* Gives a cell a value that something else brought about. */
static void change(struct sysctl_cell *cell, const char *value, const struct sysctl_cell *cause,
                   const char *reason)
{
	if (!cell || cell->source == SYSCTL_ABSENT)
		return;
	cell->value = value;
	cell->source = cause->source;
	cell->place = cause->place;
	cell->reason = reason;
	cell->remedy = NULL;
}

static struct sysctl_cell *interface_cell(const struct sysctl_kernel *kernel, const char *scope,
                                          const char *name)
{
	return sysctl_kernel_cell(kernel, arena_printf(kernel->arena, "net/ipv4/conf/%s/%s", scope, name));
}

/* A changed conf.all.forwarding turns redirects off or on and reaches every interface. */
static void forwarding_changed(struct sysctl_kernel *kernel, const struct sysctl_cell *all, int64_t value)
{
	change(interface_cell(kernel, "all", "accept_redirects"), value ? "0" : "1", all,
	       value ? "turning ip_forward on turns accept_redirects off"
	             : "turning ip_forward off turns accept_redirects on");
	struct sysctl_cell *interface = interface_cell(kernel, SYSCTL_INTERFACE, "forwarding");
	change(interface_cell(kernel, "default", "forwarding"), all->value, all, "ip_forward sets it");
	change(interface, all->value, all, "ip_forward sets it");
	if (interface)
		interface->set = true;
}

/* net.ipv4.ip_forward and net.ipv4.conf.all.forwarding are one variable. */
static bool forwarding_written(struct sysctl_kernel *kernel, struct sysctl_cell *cell, bool changed,
                               int64_t value)
{
	static const char alias[] = "net/ipv4/ip_forward", all[] = "net/ipv4/conf/all/forwarding";
	bool is_alias = strcmp(cell->path, alias) == 0;
	if (!is_alias && strcmp(cell->path, all) != 0)
		return false;
	change(sysctl_kernel_cell(kernel, is_alias ? all : alias), cell->value, cell, cell->reason);
	if (changed)
		forwarding_changed(kernel, cell, value);
	return true;
}

/*
 * What any write to a key of an interface does, even one that is refused: the key counts as set by name, and
 * conf.default, as it is, goes to the interfaces whose key was not. Forwarding does neither for the default.
 */
static void interface_written(struct sysctl_kernel *kernel, struct sysctl_cell *cell)
{
	const char *scope;
	size_t length;
	const struct sysctl_interface_key *key = sysctl_interface_key(cell->path, &scope, &length);
	if (!key || strcmp(key->name, "forwarding") == 0)
		return;
	cell->set = true;
	if (length != strlen("default") || strncmp(scope, "default", length) != 0)
		return;
	struct sysctl_cell *interface = interface_cell(kernel, SYSCTL_INTERFACE, key->name);
	if (interface && !interface->set && !str_equal(interface->value, cell->value))
		change(interface, cell->value, cell, "copied from conf.default");
}

void sysctl_cell_remark(struct arena *arena, struct sysctl_cell *cell, const char *remark)
{
	/* The first ones say it all: a file may hold thousands. */
	if (cell->reason && strlen(cell->reason) >= REASON_MOST)
		return;
	cell->reason =
		cell->reason && *cell->reason ? arena_printf(arena, "%s; %s", cell->reason, remark) : remark;
}

static void refuse(struct sysctl_kernel *kernel, struct sysctl_cell *cell, const char *value,
                   const struct place *place, const char *why)
{
	bool in_file = place->path && place->line > 0;
	sysctl_cell_remark(kernel->arena, cell,
	                   arena_printf(kernel->arena, "the kernel refuses \"%.40s\" of %s:%llu, %s", value,
	                                place->path ? place->path : "the command line",
	                                (unsigned long long)place->line, why));
	/* Appliers write a key once, with its last value: another file's good one never gets there. */
	if (in_file && str_is_plain(place->path))
		cell->remedy = arena_printf(kernel->arena, "sed -i '%llus/^/#/' %s",
		                            (unsigned long long)place->line, place->path);
	interface_written(kernel, cell);
}

void sysctl_kernel_write(struct sysctl_kernel *kernel, struct sysctl_cell *cell, const char *value,
                         enum sysctl_source source, const struct place *place)
{
	int64_t least, most, number = 0, before = 0;
	if (cell->source == SYSCTL_ABSENT)
		return;
	bool known = sysctl_number_range(kernel->system->kernel, cell->path, &least, &most);
	if (known && !sysctl_number(value, &number)) {
		refuse(kernel, cell, value, place, "which is not a number");
		return;
	}
	if (known && (number < least || number > most)) {
		refuse(kernel, cell, value, place, "which is out of range");
		return;
	}
	bool had = number_of(cell, &before);
	if (strcmp(cell->path, "kernel/yama/ptrace_scope") == 0 && had && before == 3 && number != 3) {
		refuse(kernel, cell, value, place, "since 3 cannot be lowered");
		return;
	}
	/* What is read back is the number alone, in decimal. */
	cell->value = known ? arena_printf(kernel->arena, "%lld", (long long)number) : value;
	cell->source = source;
	cell->place = *place;
	cell->reason = "";
	cell->remedy = NULL;
	if (known && strpbrk(value, "#;"))
		cell->reason = "the kernel reads the number and ignores the rest of the line";
	if (!forwarding_written(kernel, cell, !had || before != number, number))
		interface_written(kernel, cell);
}
