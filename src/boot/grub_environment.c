#include "boot/grub_environment.h"

#include "base/text.h"

static struct grub_variable *find(const struct grub_environment *environment, const char *name)
{
	for (size_t i = 0; i < environment->variables.count; i++)
		if (str_equal(environment->variables.items[i].name, name))
			return &environment->variables.items[i];
	return NULL;
}

static struct grub_variable *find_or_add(struct grub_environment *environment, const char *name,
                                         struct arena *arena)
{
	struct grub_variable *variable = find(environment, name);
	if (variable || environment->variables.count >= GRUB_VARIABLES_MAX)
		return variable;
	variable = LIST_ADD(arena, &environment->variables);
	variable->name = arena_strdup(arena, name);
	variable->value.text = "";
	return variable;
}

const struct grub_value *grub_environment_get(const struct grub_environment *environment, const char *name)
{
	const struct grub_variable *variable = find(environment, name);
	return variable && variable->set ? &variable->value : NULL;
}

bool grub_environment_set(struct grub_environment *environment, const char *name, struct grub_value value,
                          struct arena *arena)
{
	struct grub_variable *variable = find_or_add(environment, name, arena);
	if (!variable)
		return false;
	variable->value = value;
	variable->set = true;
	return true;
}

void grub_environment_unset(struct grub_environment *environment, const char *name)
{
	struct grub_variable *variable = find(environment, name);
	if (variable)
		variable->set = false;
}

void grub_environment_export(struct grub_environment *environment, const char *name, struct arena *arena)
{
	struct grub_variable *variable = find_or_add(environment, name, arena);
	if (variable)
		variable->exported = true;
}

struct grub_environment grub_environment_copy(const struct grub_environment *environment, bool exported,
                                              struct arena *arena)
{
	struct grub_environment copy = { 0 };
	for (size_t i = 0; i < environment->variables.count; i++)
		if (environment->variables.items[i].exported || !exported)
			*LIST_ADD(arena, &copy.variables) = environment->variables.items[i];
	return copy;
}
