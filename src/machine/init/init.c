#include "machine/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* What machine/inside.h calls INSIDE_INIT_UP. */
#define UP "up"

void say(const char *format, ...)
{
	char line[512];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line) - 1, format, arguments);
	va_end(arguments);
	if (length < 0)
		return;
	dprintf(STDOUT_FILENO, "slipway-init: %s\n", line);
}

long load_file(const char *path, char *buffer, size_t capacity)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -1;
	size_t size = 0;
	while (size < capacity - 1) {
		ssize_t got = read(file, buffer + size, capacity - 1 - size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		size += (size_t)got;
	}
	close(file);
	buffer[size] = '\0';
	return (long)size;
}

static void mount_all(void)
{
	static const struct {
		const char *type, *path;
	} mounts[] = {
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "devtmpfs", "/dev" },
		{ "tmpfs", "/run" },
	};
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].path, 0755);
		if (mount(mounts[i].type, mounts[i].path, mounts[i].type, 0, NULL) != 0 && errno != EBUSY)
			say("no %s: %s", mounts[i].type, strerror(errno));
	}
}

/* A kernel without devtmpfs has no nodes but those of the initramfs. */
static void make_nodes(void)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} nodes[] = {
		{ "/dev/console", 5, 1 }, { "/dev/null", 1, 3 },   { "/dev/ttyS0", 4, 64 },
		{ "/dev/ttyS1", 4, 65 },  { "/dev/ttyS2", 4, 66 }, { "/dev/ttyS3", 4, 67 },
	};
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		mknod(nodes[i].path, S_IFCHR | 0600, makedev(nodes[i].major, nodes[i].minor));
}

/* The kernel gives its console to init, where it has one by then. */
static void open_console(void)
{
	int console = open("/dev/console", O_RDWR | O_NOCTTY);
	if (console < 0)
		console = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3 && console >= 0; i++)
		if (console != i)
			dup2(console, i);
	if (console > 2)
		close(console);
}

/* Each disk's first sector: proof that it can be read, in the machine's own count of commands. */
static void read_disks(void)
{
	static char sector[4096] __attribute__((aligned(4096)));
	for (char letter = 'a'; letter <= 'd'; letter++) {
		char name[32], number[32], path[64];
		unsigned major, minor;
		snprintf(name, sizeof(name), "/dev/sd%c", letter);
		snprintf(path, sizeof(path), "/sys/block/sd%c/dev", letter);
		if (load_file(path, number, sizeof(number)) < 0 ||
		    sscanf(number, "%u:%u", &major, &minor) != 2)
			continue;
		mknod(name, S_IFBLK | 0600, makedev(major, minor));
		int disk = open(name, O_RDONLY | O_CLOEXEC);
		ssize_t got = disk < 0 ? -1 : pread(disk, sector, sizeof(sector), 0);
		if (got == (ssize_t)sizeof(sector))
			say("%s can be read", name);
		else
			say("%s cannot be read: %s", name, strerror(errno));
		if (disk >= 0)
			close(disk);
	}
}

static void in_child(void (*serve)(void))
{
	if (fork() == 0) {
		serve();
		_exit(0);
	}
}

static struct utsname names;

static void serve_capture(void)
{
	capture_serve(names.release);
}

int main(void)
{
	mount_all();
	make_nodes();
	open_console();
	if (getpid() != 1) {
		say("it is for a kernel to run");
		return 1;
	}
	uname(&names);
	say("Linux %s on %s", names.release, names.machine);
	load_modules(names.release);
	network_up();
	sleep(1); /* disks are looked for beside the driver's own start */
	read_disks();
	in_child(network_serve);
	in_child(serve_capture);
	say(UP);
	/* The machine is switched off from outside. */
	for (;;)
		if (wait(NULL) < 0)
			pause();
}
