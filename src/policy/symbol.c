#include "policy/symbol.h"

#include <string.h>

#include "base/text.h"

const struct kernel_module *module_find(const struct kernel *kernel, const char *name)
{
	for (size_t i = 0; i < kernel->modules.count; i++)
		if (str_equal(kernel->modules.items[i].name, name))
			return &kernel->modules.items[i];
	return NULL;
}

/* What the lists of modules prove where there is no configuration. */
static struct symbol_reading read_from_module(const struct context *context, const char *module)
{
	struct symbol_reading reading = { 0 };
	const struct kernel_module *found = module ? module_find(context->kernel, module) : NULL;
	if (!found || found->state == MODULE_UNKNOWN)
		return reading;
	reading.known = true;
	reading.place = found->place;
	if (found->state == MODULE_BUILTIN) {
		reading.value = "y";
		reading.reason = arena_printf(context->arena, "modules.builtin lists %s", module);
	} else if (found->state == MODULE_FILE) {
		reading.value = "m";
		reading.reason = arena_printf(context->arena, "%s is built as a module", module);
	} else {
		reading.value = "n";
		reading.reason = arena_printf(context->arena, "%s is neither built in nor a module", module);
	}
	return reading;
}

/*
 * VIRTIO_PCI_LEGACY is no module of its own, but it is what makes virtio_pci need virtio_pci_legacy_dev,
 * since that was split off (in 6.1 it was there, in 5.10 not yet): the lists of modules tell of it.
 */
#define LEGACY_SYMBOL "VIRTIO_PCI_LEGACY"
#define LEGACY_MODULE "virtio_pci_legacy_dev"
#define LEGACY_SPLIT  "6.1"

const char *symbol_witness(const char *symbol)
{
	return str_equal(symbol, LEGACY_SYMBOL) ? LEGACY_MODULE : NULL;
}

static struct symbol_reading read_legacy(const struct context *context)
{
	struct symbol_reading reading = { 0 };
	const struct kernel_module *driver = module_find(context->kernel, "virtio_pci");
	const struct kernel_module *part = module_find(context->kernel, LEGACY_MODULE);
	if (!driver || !part)
		return reading;
	bool builtin = driver->state == MODULE_BUILTIN;
	bool there = builtin ? part->state == MODULE_BUILTIN
	                     : driver->state == MODULE_FILE && (words_have(driver->needs, part->name) ||
	                                                        part->state == MODULE_BUILTIN);
	bool known = (builtin || driver->state == MODULE_FILE) && part->state != MODULE_UNKNOWN;
	bool split = context->release && version_compare(context->release, LEGACY_SPLIT) >= 0;
	if (!known || (!there && !split))
		return reading;
	reading.known = true;
	reading.value = there ? "y" : "n";
	reading.place = there && builtin ? part->place : driver->place;
	reading.reason = arena_printf(context->arena, "virtio_pci %s " LEGACY_MODULE "%s",
	                              there ? "comes with" : "is built without",
	                              there ? "" : ", the part for virtio 0.9.5");
	return reading;
}

static const char *why_not_known(const struct context *context, const char *symbol)
{
	const struct kernel_config *config = &context->kernel->config;
	if (config->source)
		return arena_printf(context->arena,
		                    "%s is only a part of a configuration and has no line for CONFIG_%s",
		                    config->source, symbol);
	/* The same for all symbols, so that a report can say it once. */
	return arena_printf(context->arena, "the kernel's configuration is not known%s%s",
	                    config->reason ? ": " : "", config->reason ? config->reason : "");
}

struct symbol_reading symbol_read(const struct context *context, const char *symbol, const char *module)
{
	const struct kernel_config *config = &context->kernel->config;
	const struct config_symbol *line = kernel_config_get(config, symbol);
	if (line) {
		struct symbol_reading reading = { true, true, line->value, NULL, config->place };
		reading.place.line = line->line;
		reading.place.text = line->text;
		return reading;
	}
	if (config->complete == ANSWER_YES)
		return (struct symbol_reading){ .known = true, .value = "n", .place = config->place };
	struct symbol_reading reading =
		str_equal(symbol, LEGACY_SYMBOL) ? read_legacy(context) : read_from_module(context, module);
	if (!reading.known)
		reading.reason = why_not_known(context, symbol);
	return reading;
}

const char *symbol_text(const char *symbol, const struct symbol_reading *reading, struct arena *arena)
{
	if (!reading->known || reading->reason)
		return reading->reason;
	if (!reading->present)
		return arena_printf(arena, "CONFIG_%s is absent", symbol);
	if (str_equal(reading->value, "n"))
		return arena_printf(arena, "CONFIG_%s is not set", symbol);
	return arena_printf(arena, "CONFIG_%s=%s", symbol, reading->value);
}

const char *symbol_found(const struct symbol_reading *reading)
{
	if (!reading->known)
		return "";
	return reading->present || reading->reason ? reading->value : "absent";
}

const char *symbol_wanted(const struct option *option, struct arena *arena)
{
	return arena_printf(arena, "%s=%s", option->symbol, want_text(&option->want, arena));
}
