// A program in the place of qemu-nbd, which does what the name of its folder says. It is confined as that is:
// its standard error output is all that it can leave.
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/server.h"

/* What a server that a hostile image has taken over would try. */
static void probe(void)
{
	static const char *const paths[] = { "/etc/passwd", "/proc/1/cmdline", "/tmp", "/" };
	char byte;
	fprintf(stderr, "descriptors=");
	for (int i = 0; i < 1024; i++)
		if (fcntl(i, F_GETFD) >= 0)
			fprintf(stderr, "%d,", i);
	int image = open(SERVER_INPUT_PATH, O_RDONLY);
	fprintf(stderr, " image=%d", image >= 0 && read(image, &byte, 1) == 1);
	fprintf(stderr, " written=%d", open(SERVER_INPUT_PATH, O_WRONLY) >= 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		fprintf(stderr, " %s=%d", paths[i], open(paths[i], O_RDONLY) >= 0);
	fprintf(stderr, " made=%d", open("/tmp/slipway-fake-server", O_WRONLY | O_CREAT, 0600) >= 0);
	fprintf(stderr, " socket=%d", socket(AF_INET, SOCK_STREAM, 0) >= 0);
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	fprintf(stderr, " process=%d", child > 0);
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3] = { 0 };
	syscall(SYS_capget, &header, held);
	fprintf(stderr, " capabilities=%d",
	        (held[0].permitted & ~(1u << CAP_DAC_READ_SEARCH)) != 0 || held[1].permitted != 0);
	fprintf(stderr, " signal=%d", syscall(SYS_tgkill, getppid(), getppid(), 0) == 0);
	extern char **environ;
	for (char **variable = environ; *variable; variable++)
		fprintf(stderr, " %.11s", *variable);
	fprintf(stderr, "\n");
}

int main(void)
{
	char path[4096] = "";
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash = length > 0 ? strrchr(path, '/') : NULL;
	if (!slash)
		return 2;
	*slash = '\0';
	const char *role = strrchr(path, '/') + 1;
	setvbuf(stderr, NULL, _IOFBF, 4096);
	if (strcmp(role, "hang") == 0)
		for (;;)
			pause();
	if (strcmp(role, "mark") == 0)
		fprintf(stderr, "qemu-nbd: a mark\x1b[31m\nof it\n");
	if (strcmp(role, "flood") == 0)
		for (int i = 0; i < 100000; i++)
			fprintf(stderr, "no end of words ");
	if (strcmp(role, "probe") == 0)
		probe();
	if (strcmp(role, "killed") == 0 && accept(3, NULL, NULL) >= 0)
		raise(SIGKILL);
	if (strcmp(role, "crash") == 0)
		raise(SIGBUS);
	if (strcmp(role, "garbage") == 0) {
		char nonsense[4096];
		memset(nonsense, 'x', sizeof(nonsense));
		if (write(accept(3, NULL, NULL), nonsense, sizeof(nonsense)) > 0)
			pause();
	}
	return 1;
}
