#include "policy/fix.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

static const struct {
	const char *family;
	const char *members; /* values of ID and ID_LIKE, blank around */
} families[] = {
	{ "debian", " debian ubuntu " },
	{ "rhel", " rhel fedora centos rocky almalinux ol amzn " },
	{ "suse", " suse sles opensuse opensuse-leap opensuse-tumbleweed " },
	{ "alpine", " alpine " },
	{ "arch", " arch " },
};

static const char *family_of(const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const char *at = strstr(families[i].members, id);
		size_t length = strlen(id);
		if (length > 0 && at && at[-1] == ' ' && at[length] == ' ')
			return families[i].family;
	}
	return NULL;
}

const char *fix_family(const struct os *os)
{
	const char *family = os->id && !strchr(os->id, ' ') ? family_of(os->id) : NULL;
	for (const char *like = os->id_like; !family && like && *like;) {
		char word[32] = "";
		size_t length = strcspn(like, " ");
		if (length < sizeof(word)) {
			memcpy(word, like, length);
			family = family_of(word);
		}
		like += length + (like[length] == ' ');
	}
	return family ? family : "";
}

/* %V is the kernel's release, %% a percent sign. */
static const char *filled_in(const struct context *context, const char *template)
{
	CLEANUP(text_free) struct text text = { 0 };
	for (; *template; template ++) {
		if (template[0] == '%' && template[1] == 'V') {
			text_add(&text, context->release ? context->release : "VERSION");
			template ++;
		} else if (template[0] == '%' && template[1] == '%') {
			text_add_char(&text, '%');
			template ++;
		} else {
			text_add_char(&text, *template);
		}
	}
	return arena_strdup(context->arena, text_get(&text));
}

static const char *variant_of(const struct predicate *predicate, const char *name)
{
	for (size_t i = 0; name && i < predicate->fixes.count; i++)
		if (str_equal(predicate->fixes.items[i].name, name))
			return predicate->fixes.items[i].text;
	return NULL;
}

const char *fix_from_policy(const struct context *context, const struct rule *rule, const char *variant)
{
	const char *fix = variant_of(rule->predicate, variant);
	if (!fix && !variant)
		fix = variant_of(rule->predicate, context->family);
	if (!fix && !variant)
		fix = rule->fix;
	return fix ? filled_in(context, fix) : NULL;
}

const char *fix_initramfs(const struct context *context, const char *modules)
{
	const char *release = context->release ? context->release : "VERSION";
	bool debian = str_equal(context->family, "debian");
	bool dracut = str_equal(context->family, "rhel") || str_equal(context->family, "suse");
	/* None at all: a new one has what it needs, and the menu has to name it. */
	if (debian && context->kernel && !context->kernel->initramfs.path)
		return arena_printf(context->arena, "update-initramfs -c -k %s && update-grub", release);
	if (dracut && context->kernel && !context->kernel->initramfs.path)
		return arena_printf(context->arena,
		                    "dracut --force --kver %s && grub2-mkconfig -o /boot/grub2/grub.cfg",
		                    release);
	if (debian)
		return arena_printf(
			context->arena,
			"printf '%%s\\n' %s >> /etc/initramfs-tools/modules && update-initramfs -u -k %s",
			modules, release);
	if (dracut)
		return arena_printf(context->arena,
		                    "echo 'add_drivers+=\" %s \"' > /etc/dracut.conf.d/60-image.conf && "
		                    "dracut --force --kver %s",
		                    modules, release);
	if (str_equal(context->family, "arch"))
		return arena_printf(context->arena,
		                    "add %s to MODULES=() in /etc/mkinitcpio.conf, then mkinitcpio -P",
		                    modules);
	return arena_printf(context->arena, "rebuild the initramfs of %s with %s", release, modules);
}

/* Writes grub.cfg anew; NULL: not known how. */
static const char *update_grub(const struct context *context)
{
	if (str_equal(context->family, "debian"))
		return "update-grub";
	if (str_equal(context->family, "rhel") || str_equal(context->family, "suse"))
		return "grub2-mkconfig -o /boot/grub2/grub.cfg";
	return NULL;
}

const char *fix_menu_timeout(const struct context *context)
{
	const char *update = update_grub(context);
	return update ? arena_printf(context->arena, "set GRUB_TIMEOUT=0 in /etc/default/grub, then %s",
	                             update)
	              : "set the menu's timeout to 0";
}

const char *fix_command_line(const struct context *context, const char *remove, const char *add)
{
	const char *update = update_grub(context);
	if (str_equal(context->family, "rhel"))
		return arena_printf(context->arena, "grubby --update-kernel=ALL %s%s%s%s%s%s%s",
		                    remove ? "--remove-args='" : "", remove ? remove : "", remove ? "'" : "",
		                    remove && add ? " " : "", add ? "--args='" : "", add ? add : "",
		                    add ? "'" : "");
	const char *what =
		arena_printf(context->arena, "%s%s%s%s%s", remove ? "take " : "", remove ? remove : "",
	                     remove && add ? " off and " : "", add ? "put " : "", add ? add : "");
	what = arena_printf(context->arena, "%s %s", what,
	                    add ? "at the end of the kernel's command line"
	                        : "off the kernel's command line");
	if (!update)
		return what;
	return arena_printf(context->arena, "%s (GRUB_CMDLINE_LINUX in /etc/default/grub), then %s", what,
	                    update);
}

/* A line in /etc that sets this key alone can be edited where it stands. */
static bool can_edit(const struct sysctl *sysctl)
{
	return sysctl->source == SYSCTL_FILE && sysctl->place.path && sysctl->place.line > 0 &&
	       str_starts(sysctl->place.path, "/etc/") && !strpbrk(sysctl->place.path, "' \\") &&
	       !(sysctl->place.text && strpbrk(sysctl->place.text, "*?["));
}

const char *fix_sysctl(const struct context *context, const struct sysctl *sysctl, const char *value)
{
	if (can_edit(sysctl))
		return arena_printf(context->arena, "sed -i '%" PRIu64 "s|.*|%s = %s|' %s",
		                    sysctl->place.line, sysctl->key, value, sysctl->place.path);
	const char *file = "60-image.conf";
	const char *slash =
		sysctl->source == SYSCTL_FILE && sysctl->place.path ? strrchr(sysctl->place.path, '/') : NULL;
	/* Drop-ins are applied in the order of their names: ours has to come behind. */
	if (slash && strcmp(slash + 1, file) >= 0)
		file = "99-zz-image.conf";
	return arena_printf(context->arena, "echo '%s = %s' >> /etc/sysctl.d/%s", sysctl->key, value, file);
}

const char *fix_rebuild(const struct context *context, const char *changes)
{
	return arena_printf(context->arena,
	                    "scripts/config %s && make olddefconfig, then build and install the kernel",
	                    changes);
}
