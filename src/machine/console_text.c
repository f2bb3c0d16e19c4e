// Lines to phases. A line is taken for what only the program of that phase says; what another could say as
// well is left alone, for a phase that is not seen is no harm, and one that is seen too early is.
#include <string.h>

#include "machine/console.h"
#include "machine/inside.h"

struct phase_mark {
	enum run_phase phase;
	const char *pattern; /* of the line without the kernel's time stamp */
};

static const struct phase_mark marks[] = {
	/* GRUB: its boot sector, its core, its menu, the entry that it boots and what Debian's entries echo.
	 */
	{ RUN_LOADER, "GRUB loading*" },
	{ RUN_LOADER, "Welcome to GRUB!*" },
	{ RUN_LOADER, "*GNU GRUB  version*" },
	{ RUN_LOADER, "*Booting [`']*" },
	{ RUN_LOADER, "Booting a command list*" },
	{ RUN_LOADER, "Loading Linux *" },
	{ RUN_LOADER, "Loading initial ramdisk*" },
	{ RUN_LOADER, "grub rescue>*" },
	{ RUN_LOADER, "grub>*" },
	{ RUN_LOADER, "SYSLINUX *" },
	{ RUN_LOADER, "EXTLINUX *" },
	{ RUN_LOADER, "ISOLINUX *" },
	{ RUN_LOADER, "Loading vmlinuz*" },
	/* systemd-boot, and what a firmware says of any loader from a disk; the shell is in a firmware
	   volume. */
	{ RUN_LOADER, "Boot in [0-9]* s.*" },
	{ RUN_LOADER, "BdsDxe: starting Boot*PciRoot(*" },
	/* The stub is the kernel's code, but speaks through the firmware: no sign of the kernel's console. */
	{ RUN_LOADER, "EFI stub: *" },

	{ RUN_KERNEL, "Linux version [0-9]*" },
	{ RUN_KERNEL, "Decompressing Linux...*" },

	/* initramfs-tools runs these scripts when the root is mounted; dracut and systemd name it /sysroot.
	 */
	{ RUN_ROOT, "*Begin: Running /scripts/local-bottom *" },
	{ RUN_ROOT, "*Begin: Running /scripts/init-bottom *" },
	{ RUN_ROOT, "*VFS: Mounted root (*" },
	{ RUN_ROOT, "*EXT[234]-fs (*): *mounted filesystem*" },
	{ RUN_ROOT, "*XFS (*): Ending clean mount*" },
	{ RUN_ROOT, "*XFS (*): Ending recovery*" },
	{ RUN_ROOT, "*Mounted */sysroot*" },
	{ RUN_ROOT, "*Mounted sysroot.mount*" },
	{ RUN_ROOT, "*Reached target *Initrd Root File System*" },
	{ RUN_ROOT, "*Reached target *initrd-root-fs.target*" },
	{ RUN_ROOT, "*systemd\\[1\\]: Switching root*" },

	/* systemd is asked about its initramfs first, below. */
	{ RUN_INIT, "*INIT: version *booting*" },
	{ RUN_INIT, "*OpenRC * is starting up *" },
	{ RUN_INIT, "Run /sbin/init as init process*" },
	{ RUN_INIT, "Run /etc/init as init process*" },
	{ RUN_INIT, "Run /bin/init as init process*" },
	{ RUN_INIT, "Run /bin/sh as init process*" },
	{ RUN_INIT, "Run /*lib/systemd/systemd as init process*" },
	/* Our own, of a kernel by itself: as far as it comes. */
	{ RUN_INIT, "slipway-init: Linux *" },
	{ RUN_LOGIN, INSIDE_INIT_UP },
};

/* What systemd, or its status lines, say when it has begun its work. */
static const char *const systemd_works[] = {
	"*systemd\\[1\\]: *ostname set to *",
	"*systemd\\[1\\]: Set hostname to *",
	"*systemd\\[1\\]: Queued start job *",
	"*systemd\\[1\\]: Created slice *",
	"*systemd\\[1\\]: Listening on *",
	"*systemd\\[1\\]: Reached target *",
	"*systemd\\[1\\]: Start* *",
	"\\[  OK  \\] *",
	"Welcome to *!",
};

static bool matches_any(const char *const *patterns, size_t count, const char *line)
{
	for (size_t i = 0; i < count; i++)
		if (str_glob(patterns[i], line, false))
			return true;
	return false;
}

const char *console_kernel_line(const char *line)
{
	/* [%5lu.%06lu], then with CONFIG_PRINTK_CALLER a task or processor in brackets. */
	if (*line != '[')
		return NULL;
	const char *at = line + 1;
	at += strspn(at, " ");
	size_t seconds = strspn(at, "0123456789");
	if (seconds == 0 || at[seconds] != '.')
		return NULL;
	at += seconds + 1;
	size_t micros = strspn(at, "0123456789");
	if (micros != 6 || at[micros] != ']')
		return NULL;
	at += micros + 1;
	if (*at == '[') {
		const char *end = strchr(at, ']');
		at = end ? end + 1 : at;
	}
	return *at == ' ' ? at + 1 : at;
}

void console_reach(struct console *console, enum run_phase phase, const char *line)
{
	struct run_step *step = &console->run->steps[phase];
	if (step->reached)
		return;
	*step = (struct run_step){
		.reached = true,
		.seconds = console->seconds,
		.cpu_seconds = console->cpu_seconds,
		.place = { .path = RUN_CONSOLE_PATH,
		           .line = console->line_count + 1,
		           .text = arena_strdup(console->arena, line) },
	};
}

/*
 * "host login:", with nothing behind it; of a complete line what a kernel's message, or an automatic login,
 * stands behind. A host has no blank in its name: "Last login:" and sentences are none.
 */
static bool is_login_prompt(const char *line, bool complete)
{
	static const char *const others[] = { "Last", "last", "Failed", "failed", "Invalid", "Incorrect" };
	const char *prompt = strstr(line, "login:");
	if (!prompt)
		return false;
	size_t name = (size_t)(prompt - line);
	if (name > 0 && (line[name - 1] != ' ' || strcspn(line, " ") != name - 1))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (name == strlen(others[i]) + 1 && str_starts(line, others[i]))
			return false;
	const char *behind = prompt + strlen("login:");
	behind += strspn(behind, " ");
	if (!*behind)
		return !complete;
	return console_kernel_line(behind) != NULL || str_ends(behind, "(automatic login)");
}

/* Is this systemd, or what it starts, inside of an initramfs? */
static void follow_initrd(struct console *console, const char *line)
{
	static const char *const inside[] = {
		"*systemd\\[1\\]: Running in initrd*",
		"*systemd\\[1\\]: Running in initial RAM disk*",
		"Welcome to *nitramfs)*",
		"*dracut*",
		"*nitrd*",
		"*sysroot*",
	};
	static const char *const behind[] = {
		"*systemd\\[1\\]: Switching root*",
		"*nitrd-switch-root.service*",
		"*Starting *Switch Root*",
	};
	if (console->initrd == CONSOLE_INITRD_LEFT || !console->run->steps[RUN_KERNEL].reached)
		return;
	/* The kernel speaks of its own initrd, and dracut makes command lines longer. */
	const char *kernel = console_kernel_line(line);
	if (kernel && !strstr(kernel, "systemd[1]") && !str_starts(kernel, "dracut"))
		return;
	if (matches_any(behind, ARRAY_SIZE(behind), line))
		console->initrd = CONSOLE_INITRD_LEFT;
	else if (matches_any(inside, ARRAY_SIZE(inside), line))
		console->initrd = CONSOLE_INITRD_IN;
	else if (console->initrd == CONSOLE_INITRD_IN && str_glob("Welcome to *!", line, false))
		console->initrd = CONSOLE_INITRD_LEFT;
}

static bool systemd_runs(const struct console *console, const char *line)
{
	if (console->initrd == CONSOLE_INITRD_IN || str_glob("*nitrd*", line, false))
		return false;
	if (str_starts(line, "Welcome to ") &&
	    (strstr(line, "GRUB") || strstr(line, "emergency mode") || strstr(line, "rescue mode")))
		return false;
	return matches_any(systemd_works, ARRAY_SIZE(systemd_works), line);
}

bool console_read_phase(struct console *console, const char *line, bool complete)
{
	struct run *run = console->run;
	if (!run->steps[RUN_LOGIN].reached && is_login_prompt(line, complete)) {
		console_reach(console, RUN_LOGIN, line);
		return true;
	}
	if (!complete)
		return false;
	const char *kernel = console_kernel_line(line);
	if (kernel || str_starts(line, "Linux version ")) {
		console->kernel_spoke = true;
		console_reach(console, RUN_KERNEL, line);
	}
	follow_initrd(console, line);
	const char *message = kernel ? kernel : line;
	bool found = false;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		if (run->steps[marks[i].phase].reached || !str_glob(marks[i].pattern, message, false))
			continue;
		console_reach(console, marks[i].phase, line);
		found = true;
	}
	if (!run->steps[RUN_INIT].reached && systemd_runs(console, message)) {
		console_reach(console, RUN_INIT, line);
		found = true;
	}
	return found;
}
