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

/* Are all words of a list plain? An image's text in a command is run by whoever copies it. */
static bool are_plain(struct arena *arena, const char *words)
{
	while (*words) {
		size_t length = strcspn(words, " ");
		if (!str_is_plain(arena_string(arena, span_of(words, length))))
			return false;
		words += length + (words[length] == ' ');
	}
	return true;
}

const char *fix_release(const struct context *context)
{
	return context->release && str_is_plain(context->release) ? context->release : "VERSION";
}

/* %V is the kernel's release, %% a percent sign. */
static const char *filled_in(const struct context *context, const char *template)
{
	CLEANUP(text_free) struct text text = { 0 };
	for (; *template; template ++) {
		if (template[0] == '%' && template[1] == 'V') {
			text_add(&text, fix_release(context));
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

/* The loader that boots. What is not known, as without an input, is taken for GRUB, which most have. */
static const char *loader_of(const struct context *context)
{
	const char *loader = context->facts ? context->facts->boot.loader : NULL;
	return loader ? loader : "grub";
}

static bool boots_with(const struct context *context, const char *loader)
{
	return str_equal(loader_of(context), loader);
}

const char *fix_from_policy(const struct context *context, const struct rule *rule, const char *variant)
{
	const char *fix = variant_of(rule->predicate, variant);
	if (!fix && !variant && !boots_with(context, "grub"))
		fix = variant_of(rule->predicate, loader_of(context));
	if (!fix && !variant)
		fix = variant_of(rule->predicate, context->family);
	if (!fix && !variant)
		fix = rule->fix;
	return fix ? filled_in(context, fix) : NULL;
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

/* kernel-install as the distributions call it: entries of type 1, or unified images, whichever is set up. */
static const char *install_kernel(const struct context *context)
{
	const char *release = fix_release(context);
	if (str_equal(context->family, "debian"))
		return arena_printf(context->arena, "kernel-install add %s /boot/vmlinuz-%s", release,
		                    release);
	return arena_printf(context->arena, "kernel-install add %s /usr/lib/modules/%s/vmlinuz", release,
	                    release);
}

/* Makes the boot menu name the kernel and its files as they are now. */
static const char *update_menu(const struct context *context)
{
	if (boots_with(context, "systemd-boot") || boots_with(context, "uki"))
		return install_kernel(context);
	if (boots_with(context, "syslinux"))
		return "name the file with INITRD in syslinux's configuration";
	const char *update = update_grub(context);
	return update ? update : "name it in the boot menu";
}

/* Adds to a change of the command line where it has to be made. */
static const char *where_command_line_is(const struct context *context, const char *what)
{
	const struct boot *boot = &context->facts->boot;
	if (boots_with(context, "systemd-boot"))
		return arena_printf(context->arena, "%s (/etc/kernel/cmdline), then %s", what,
		                    install_kernel(context));
	if (boots_with(context, "uki"))
		return arena_printf(context->arena,
		                    "%s (/etc/kernel/cmdline), then build the unified kernel image anew, as "
		                    "kernel-install or ukify does",
		                    what);
	if (boots_with(context, "syslinux") && str_equal(context->family, "alpine"))
		return arena_printf(
			context->arena,
			"%s (default_kernel_opts in /etc/update-extlinux.conf), then update-extlinux", what);
	if (boots_with(context, "syslinux"))
		return arena_printf(context->arena, "%s (APPEND in %s)", what,
		                    boot->config.path ? boot->config.path : "syslinux's configuration");
	const char *update = update_grub(context);
	return update ? arena_printf(context->arena, "%s (GRUB_CMDLINE_LINUX in /etc/default/grub), then %s",
	                             what, update)
	              : what;
}

const char *fix_initramfs(const struct context *context, const char *modules)
{
	const char *release = fix_release(context);
	bool debian = str_equal(context->family, "debian");
	bool dracut = str_equal(context->family, "rhel") || str_equal(context->family, "suse");
	/* None at all: a new one has what it needs, and the menu has to name it. */
	if (context->kernel && !context->kernel->initramfs.path && (debian || dracut))
		return arena_printf(context->arena, "%s%s && %s",
		                    debian ? "update-initramfs -c -k " : "dracut --force --kver ", release,
		                    update_menu(context));
	if (!are_plain(context->arena, modules))
		return arena_printf(context->arena,
		                    "rebuild the initramfs of %s with the modules that it lacks", release);
	if (debian)
		return arena_printf(
			context->arena,
			"printf '%%s\\n' %s >> /etc/initramfs-tools/modules && update-initramfs -u -k %s",
			modules, release);
	if (dracut)
		return arena_printf(context->arena,
		                    "echo 'add_drivers+=\" %s \"' >> /etc/dracut.conf.d/60-image.conf && "
		                    "dracut --force --kver %s",
		                    modules, release);
	if (str_equal(context->family, "arch"))
		return arena_printf(context->arena,
		                    "add %s to MODULES=() in /etc/mkinitcpio.conf, then mkinitcpio -P",
		                    modules);
	return arena_printf(context->arena, "rebuild the initramfs of %s with %s", release, modules);
}

const char *fix_initramfs_lvm(const struct context *context)
{
	const char *release = fix_release(context);
	if (str_equal(context->family, "debian"))
		return arena_printf(context->arena, "apt-get install lvm2 && update-initramfs -u -k %s",
		                    release);
	if (str_equal(context->family, "rhel") || str_equal(context->family, "suse"))
		return arena_printf(context->arena,
		                    "echo 'add_dracutmodules+=\" lvm \"' >> /etc/dracut.conf.d/60-image.conf "
		                    "&& dracut --force --kver %s",
		                    release);
	if (str_equal(context->family, "arch"))
		return "add lvm2 to HOOKS=() in /etc/mkinitcpio.conf, then mkinitcpio -P";
	return arena_printf(context->arena, "rebuild the initramfs of %s with lvm", release);
}

const char *fix_menu_timeout(const struct context *context)
{
	if (boots_with(context, "systemd-boot"))
		return "set timeout 0 in loader/loader.conf on the EFI system partition";
	if (boots_with(context, "syslinux"))
		return "set DEFAULT to a label, PROMPT to 0, and take UI out of syslinux's configuration";
	const char *update = update_grub(context);
	return update ? arena_printf(context->arena, "set GRUB_TIMEOUT=0 in /etc/default/grub, then %s",
	                             update)
	              : "set the menu's timeout to 0";
}

const char *fix_command_line(const struct context *context, const char *remove, const char *add)
{
	bool plain =
		are_plain(context->arena, remove ? remove : "") && are_plain(context->arena, add ? add : "");
	bool grubby = boots_with(context, "grub") || boots_with(context, "shim");
	if (str_equal(context->family, "rhel") && grubby && plain)
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
	return where_command_line_is(context, what);
}

/* Does a line set this key? Writing one key may change another, and a pattern many. */
static bool sets_key(const char *line, const char *key)
{
	line += *line == '-';
	line += strspn(line, " \t");
	for (; *key; key++, line++)
		if (*line != *key && !(*key == '.' && *line == '/'))
			return false;
	line += strspn(line, " \t");
	return *line == '=';
}

/* A line in /etc that sets this key alone can be edited where it stands. */
static bool can_edit(const struct sysctl *sysctl)
{
	return sysctl->source == SYSCTL_FILE && sysctl->place.path && sysctl->place.line > 0 &&
	       str_starts(sysctl->place.path, "/etc/") && str_is_plain(sysctl->place.path) &&
	       (!sysctl->place.text || sets_key(sysctl->place.text, sysctl->key));
}

/* Drop-ins are applied in the order of their names: ours has to come behind the one that decides now. NULL:
 * that one's name is not plain. */
static const char *drop_in_behind(const struct context *context, const struct place *place)
{
	static const char *const names[] = { "60-image.conf", "99-zz-image.conf" };
	const char *slash = place && place->path ? strrchr(place->path, '/') : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!slash || strcmp(slash + 1, names[i]) < 0 || str_equal(slash + 1, names[i]))
			return names[i];
	return str_is_plain(slash + 1) ? arena_printf(context->arena, "%s-image.conf", slash + 1) : NULL;
}

static const char *fix_sysctl_at_boot(const struct context *context, const struct sysctl *sysctl,
                                      const char *value)
{
	const char *remedy = sysctl->remedy ? sysctl->remedy : "", *then = *remedy ? " && " : "";
	if (can_edit(sysctl))
		return arena_printf(context->arena, "%s%ssed -i '%" PRIu64 "s|.*|%s = %s|' %s", remedy, then,
		                    sysctl->place.line, sysctl->key, value, sysctl->place.path);
	const char *drop_in = drop_in_behind(context, sysctl->source == SYSCTL_FILE ? &sysctl->place : NULL);
	if (!drop_in)
		return arena_printf(context->arena, "%s%sset %s = %s in a file of /etc/sysctl.d/ behind %s",
		                    remedy, *remedy ? ", then " : "", sysctl->key, value, sysctl->place.path);
	return arena_printf(context->arena, "%s%secho '%s = %s' >> /etc/sysctl.d/%s", remedy, then,
	                    sysctl->key, value, drop_in);
}

/* A running system as its next boot finds it: the line in a file that sets the key, or none. */
static struct sysctl at_next_boot(const struct sysctl *sysctl)
{
	struct sysctl next = *sysctl;
	if (sysctl->source != SYSCTL_RUNNING)
		return next;
	next.source = sysctl->boot_place.path ? SYSCTL_FILE : SYSCTL_KERNEL_DEFAULT;
	next.place = next.effective_place = sysctl->boot_place;
	return next;
}

const char *fix_sysctl(const struct context *context, const struct sysctl *sysctl, const char *value)
{
	struct sysctl next = at_next_boot(sysctl);
	const char *fix = fix_sysctl_at_boot(context, &next, value);
	if (sysctl->source != SYSCTL_RUNNING)
		return fix;
	return arena_printf(context->arena, "sysctl -w %s=%s && %s", sysctl->key, value, fix);
}

const char *fix_effective(const struct context *context, const struct sysctl *judged, const char *value)
{
	static const char prefix[] = "net.ipv4.conf.";
	const struct sysctl next = at_next_boot(judged), *sysctl = &next;
	const char *name = strrchr(sysctl->key, '.'), *line = sysctl->effective_place.text;
	struct sysctl decides = { .source =
		                          sysctl->effective_place.path ? SYSCTL_FILE : SYSCTL_KERNEL_DEFAULT,
		                  .place = sysctl->effective_place,
		                  .remedy = sysctl->remedy };
	/* One interface by its name, or all by the one key: that line alone has to change. */
	bool all = line && sets_key(line, arena_printf(context->arena, "%sall%s", prefix, name));
	decides.key = arena_printf(context->arena, "%s%s%s", prefix, all ? "all" : "*", name);
	return fix_sysctl(context, &decides, value);
}

/* Only what some kernel of today leaves out: nobody builds one without BLOCK or TTY by accident. */
static const struct {
	const char *symbol, *menus;
} hidden[] = {
	{ "KVM_GUEST", "HYPERVISOR_GUEST PARAVIRT" },
	{ "VIRTIO_PCI", "PCI VIRTIO_MENU" },
	{ "VIRTIO_PCI_LEGACY", "PCI VIRTIO_MENU VIRTIO_PCI" },
	{ "SCSI_VIRTIO", "PCI VIRTIO_MENU VIRTIO_PCI SCSI SCSI_LOWLEVEL" },
	{ "BLK_DEV_SD", "SCSI" },
	{ "BLK_DEV_DM", "MD" },
	{ "VIRTIO_NET", "PCI VIRTIO_MENU VIRTIO_PCI NETDEVICES NET_CORE" },
	{ "GVE", "PCI PCI_MSI NETDEVICES ETHERNET NET_VENDOR_GOOGLE" },
	{ "PCI_MSI", "PCI" },
	{ "PNP", "ACPI" },
	{ "PNPACPI", "ACPI PNP" },
	{ "SERIAL_8250_CONSOLE", "SERIAL_8250" },
	{ "SERIAL_8250_PNP", "ACPI PNP SERIAL_8250" },
	{ "SERIAL_8250_NR_UARTS", "SERIAL_8250" },
	{ "SERIAL_8250_RUNTIME_UARTS", "SERIAL_8250" },
	{ "SYN_COOKIES", "NET INET" },
	{ "SECURITY_YAMA", "SECURITY" },
	{ "EFI_PARTITION", "PARTITION_ADVANCED" },
	{ "MSDOS_PARTITION", "PARTITION_ADVANCED" },
};

void fix_add_enable(struct text *changes, const char *symbol)
{
	static const char word[] = "--enable ";
	size_t length = strlen(symbol);
	const char *at = text_get(changes);
	while ((at = strstr(at, word))) {
		at += sizeof(word) - 1;
		if (strcspn(at, " ") == length && strncmp(at, symbol, length) == 0)
			return;
	}
	text_printf(changes, "%s%s%s", changes->size > 0 ? " " : "", word, symbol);
}

void fix_add_menus(struct text *changes, const char *symbol)
{
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
		if (!str_equal(hidden[i].symbol, symbol))
			continue;
		for (const char *at = hidden[i].menus; *at; at += strspn(at, " ")) {
			char menu[32] = "";
			size_t length = strcspn(at, " ");
			if (length < sizeof(menu))
				memcpy(menu, at, length);
			fix_add_enable(changes, menu);
			at += length;
		}
	}
}

const char *fix_rebuild(const struct context *context, const char *changes)
{
	return arena_printf(context->arena,
	                    "scripts/config %s && make olddefconfig, then build and install the kernel",
	                    changes);
}
