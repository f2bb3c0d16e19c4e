// What the guest says of itself over ttyS1 to ttyS3, whole and in pieces; and what a capture is read as.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/unnamed.h"
#include "boot/initramfs.h"
#include "cmd/bootable.h"
#include "live/ethtool.h"
#include "machine/embedded.h"
#include "machine/init/pack.h"
#include "machine/inside.h"
#include "tar_builder.h"
#include "tools.h"

struct bench {
	struct inside inside;
	int file, ends[2];
};

static struct bench bench_open(void)
{
	struct bench bench = { .file = unnamed_file("/tmp") };
	assert_true(bench.file >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, bench.ends), 0);
	inside_open(&bench.inside, bench.file, bench.ends[0]);
	return bench;
}

static void bench_close(struct bench *bench)
{
	inside_free(&bench->inside);
	close(bench->file);
	close(bench->ends[0]);
	close(bench->ends[1]);
}

static void feed(struct bench *bench, unsigned port, const char *text)
{
	inside_feed(&bench->inside, port, span_text(text));
}

/* Every way to cut what comes gives the same. */
static void pieces_are_put_together(void **state)
{
	(void)state;
	static const char said[] = "\r\nsome noise\r\nslipway-inside-ready\r\n",
			  sent[] = "slipway-inside-begin 10\n\0slipway\n\nslipway-inside-end\n";
	for (size_t piece = 1; piece < sizeof(sent); piece++) {
		struct bench bench = bench_open();
		char script[8192], capture[16];
		feed(&bench, 1, said);
		assert_int_equal(bench.inside.state, INSIDE_ASKED);
		ssize_t got = read(bench.ends[1], script, sizeof(script));
		assert_int_equal(got, capture_script_size);
		assert_memory_equal(script, capture_script, capture_script_size);
		assert_false(bench.inside.port_seen[1]);
		for (size_t at = 0; at < sizeof(sent) - 1; at += piece) {
			size_t left = sizeof(sent) - 1 - at;
			inside_feed(&bench.inside, 1, span_of(sent + at, piece < left ? piece : left));
		}
		assert_int_equal(bench.inside.state, INSIDE_COMPLETE);
		assert_true(bench.inside.port_seen[1]);
		assert_false(inside_done(&bench.inside));
		assert_int_equal(pread(bench.file, capture, sizeof(capture), 0), 10);
		assert_memory_equal(capture, "\0slipway\n\n", 10);
		feed(&bench, 2, "slipway-inside-po");
		feed(&bench, 2, "rt\r\n");
		feed(&bench, 3, "\nslipway-inside-port\n");
		assert_true(inside_done(&bench.inside));
		bench_close(&bench);
	}
}

static void assert_broken(const char *said, const char *reason)
{
	struct bench bench = bench_open();
	feed(&bench, 1, "slipway-inside-ready\n");
	feed(&bench, 1, said);
	assert_int_equal(bench.inside.state, INSIDE_BROKEN);
	assert_string_equal(bench.inside.reason, reason);
	assert_true(inside_done(&bench.inside));
	bench_close(&bench);
}

static void nonsense_is_refused(void **state)
{
	(void)state;
	assert_broken("slipway-inside-begin 99999999999999999999\n",
	              "the guest announced a capture without a size");
	assert_broken("slipway-inside-begin 0\n", "the guest announced a capture without a size");
	assert_broken("slipway-inside-begin -1\n", "the guest announced a capture without a size");
	assert_broken("slipway-inside-begin 16777217\n", "the guest announced a capture of more than 16 MiB");
	assert_broken("slipway-inside-begin 3\nabcd\n",
	              "the capture does not end where the guest said that it would");
	assert_broken("slipway-inside-failed there is no tar\n", "the guest could not make a capture");
}

/* Marks prove a port when they come on it, and in their turn. */
static void marks_count_where_they_belong(void **state)
{
	(void)state;
	struct bench bench = bench_open();
	feed(&bench, 1, "slipway-inside-port\nslipway-inside-begin 3\n");
	feed(&bench, 2, "slipway-inside-ready\n");
	feed(&bench, 3, "x slipway-inside-port\n");
	for (size_t i = 0; i < 100; i++)
		feed(&bench, 3, "a long line without an end that is of no use to anybody, ");
	assert_true(bench.inside.pending[3].size <= 300);
	for (unsigned port = 0; port < 4; port++)
		assert_false(bench.inside.port_seen[port]);
	assert_int_equal(bench.inside.state, INSIDE_WAITING);
	feed(&bench, 3, "\nslipway-inside-port\n");
	assert_true(bench.inside.port_seen[3]);
	bench_close(&bench);
}

static void the_command_line_is_kept(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	const char *line = inside_command_line("root=/dev/sda1 ro console=ttyS0 -- single", &arena);
	assert_true(str_starts(line, "root=/dev/sda1 ro console=ttyS0 systemd.run=\"/bin/sh -c '"));
	assert_true(str_ends(line, "systemd.run_failure_action=none -- single"));
	assert_true(strlen(line) < 512);
	assert_true(str_starts(inside_command_line(NULL, &arena), "systemd.run="));
	/* What systemd, or a kernel, would take for something of its own. */
	assert_null(strpbrk(line, "%$\\"));
	arena_free(&arena);
}

static void script_is_one_for_sh(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	(void)tool_filter(COMMAND("sh", "-n"), span_of(capture_script, capture_script_size), &arena);
	/* A line of a terminal in its usual mode may have 4095 bytes; the whole of it waits in 64 KiB at
	 * most. */
	assert_true(capture_script_size < 8192);
	arena_free(&arena);
}

/* The init comes behind the initramfs that was given, where the kernel looks for it. */
static void init_is_in_the_initramfs(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct error error = { 0 };
	int given = unnamed_file("/tmp");
	if (machine_init_size == 0) {
		assert_int_equal(inside_initrd(given, &error), -1);
		print_message("%s\n", error.message);
		/* Where all was set up for the tests, it is there. */
		assert_false(str_equal(getenv("SLIPWAY_REQUIRE"), "1"));
		close(given);
		skip();
	}
	struct span archive = tool_filter(COMMAND("sh", "-c", "cd /usr/share && echo doc | cpio -o -H newc"),
	                                  (struct span){ 0 }, &arena);
	assert_int_equal(write(given, archive.data, archive.size), archive.size);
	assert_int_equal(write(given, "\0\0", 2), 2);
	int file = inside_initrd(given, &error);
	assert_true(file >= 0);
	off_t size = lseek(file, 0, SEEK_END);
	uint8_t *bytes = arena_alloc(&arena, (size_t)size);
	assert_int_equal(pread(file, bytes, (size_t)size, 0), size);
	assert_memory_equal(bytes, archive.data, archive.size);
	size_t at = (archive.size + 2 + 3) / 4 * 4;
	struct span ours = tool_filter(COMMAND("sh", "-c", "cpio -i --to-stdout slipway-init"),
	                               span_of(bytes + at, (size_t)size - at), &arena);
	assert_int_equal(ours.size, machine_init_size);
	assert_memory_equal(ours.data, machine_init, machine_init_size);
	struct span list =
		tool_filter(COMMAND("cpio", "-tv"), span_of(bytes + at, (size_t)size - at), &arena);
	assert_true(span_find(list, 0, "crw-------", 10) == 0 ||
	            span_find(list, 0, "\ncrw-------", 11) != SIZE_MAX);
	close(file);
	close(given);
	arena_free(&arena);
}

/* What a kernel by itself sends is packed by our own hand: gzip has to agree. */
static void what_is_packed_is_gzip(void **state)
{
	(void)state;
	static uint8_t bytes[200000];
	static const size_t sizes[] = { 0, 1, 2, 3, 4, 259, 70000, sizeof(bytes) };
	struct arena arena = { 0 };
	for (unsigned kind = 0; kind < 4; kind++) {
		uint32_t random = 1;
		for (size_t i = 0; i < sizeof(bytes); i++) {
			random = random * 1664525 + 1013904223;
			bytes[i] = (uint8_t)(kind == 0   ? 0
			                     : kind == 1 ? random >> 24
			                     : kind == 2 ? i / 7 * (i >> 9)
			                                 : (random >> 30) + (i % 1024 < 300 ? 'a' : 0));
		}
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			FILE *file = tmpfile();
			assert_true(pack(bytes, sizes[i], file));
			struct span packed = tool_content(file, &arena);
			assert_true(kind != 0 || packed.size < sizes[i] / 100 + 32);
			struct span back = tool_filter(COMMAND("gzip", "-dc"), packed, &arena);
			assert_int_equal(back.size, sizes[i]);
			assert_memory_equal(back.data, bytes, sizes[i]);
			fclose(file);
		}
	}
	arena_free(&arena);
}

static void add_link(struct tar_builder *tar, const char *name, const char *target)
{
	uint8_t *header = tar_builder_header(tar, name, '2', 0, TAR_USTAR);
	memcpy(header + 157, target, strlen(target));
	tar_builder_checksum(header);
}

#define SCSI "sys/devices/pci0000:00/0000:00:03.0"

/* A small machine, as it sends itself. */
static void make_capture(struct tar_builder *tar)
{
	static const char *const files[][2] = {
		{ "slipway/release", "6.1.0-test\n" },
		{ "slipway/hardware", "x86_64\n" },
		{ "slipway/offloads",
		  "Features for ens4:\ntx-checksumming: on\n\ttx-checksum-ip-generic: on\n"
		  "generic-receive-offload: off\nrx-lro: off [fixed]\n" },
		{ "proc/cmdline", "root=/dev/sda1 console=ttyS0\n" },
		{ "proc/version", "Linux version 6.1.0-test (x) #1 SMP\n" },
		{ "proc/mounts", "/dev/sda1 / ext4 rw 0 0\n" },
		{ "proc/modules", "virtio_scsi 24576 1 - Live 0x0\n" },
		{ "proc/sys/kernel/osrelease", "6.1.0-test\n" },
		{ "proc/sys/kernel/kptr_restrict", "1\n" },
		{ "proc/sys/net/ipv4/conf/all/rp_filter", "0\n" },
		{ "proc/sys/net/ipv4/conf/ens4/rp_filter", "1\n" },
		{ "sys/class/dmi/id/product_name", "Google Compute Engine\n" },
		{ SCSI "/vendor", "0x1af4\n" },
		{ SCSI "/device", "0x1004\n" },
		{ SCSI "/revision", "0x00\n" },
		{ SCSI "/virtio0/device", "0x0008\n" },
		{ SCSI "/virtio0/features", "0110\n" },
		{ "sys/class/tty/ttyS2/irq", "6\n" },
		{ "sys/class/tty/ttyS2/type", "4\n" },
		{ "boot/config-6.1.0-test", "CONFIG_SCSI_VIRTIO=m\n" },
		{ "etc/passwd", "root:x:0:0::/:/bin/sh\n" },
	};
	static const char *const links[][2] = {
		{ "sys/bus/pci/devices/0000:00:03.0", "../../../devices/pci0000:00/0000:00:03.0" },
		{ "sys/bus/virtio/devices/virtio0", "../../../devices/pci0000:00/0000:00:03.0/virtio0" },
		{ SCSI "/driver", "../../../bus/pci/drivers/virtio-pci" },
		{ SCSI "/virtio0/driver", "../../../../bus/virtio/drivers/virtio_scsi" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		tar_builder_file(tar, files[i][0], files[i][1], TAR_USTAR);
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		add_link(tar, links[i][0], links[i][1]);
}

static struct examination examine_bytes(struct span bytes, struct arena *arena)
{
	static const char *const keys[] = { "kernel.kptr_restrict", "net.ipv4.conf.all.rp_filter",
		                            "kernel.dmesg_restrict" };
	static const char *const symbols[] = { "SCSI_VIRTIO" };
	static const char *const modules[] = { "virtio_scsi", "virtio_net" };
	struct questions questions = {
		.sysctls = { (const char **)(uintptr_t)keys, ARRAY_SIZE(keys) },
		.symbols = { (const char **)(uintptr_t)symbols, ARRAY_SIZE(symbols) },
		.modules = { (const char **)(uintptr_t)modules, ARRAY_SIZE(modules) },
	};
	struct examination examination;
	FILE *file = tool_file(bytes);
	examine_capture(fileno(file), &questions, arena, &examination);
	fclose(file);
	return examination;
}

static void a_capture_is_a_running_machine(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct tar_builder *tar = arena_alloc(&arena, sizeof(*tar));
	make_capture(tar);
	struct span plain = span_of(tar->bytes, tar->size + 1024);
	struct span packed = tool_filter(COMMAND("gzip", "-1"), plain, &arena);
	for (int i = 0; i < 2; i++) {
		struct examination examination = examine_bytes(i ? packed : plain, &arena);
		const struct facts *facts = &examination.facts;
		if (examination.status != STATUS_CONFORMS)
			fail_msg("%s", facts->reason);
		assert_int_equal(facts->kind, INPUT_LIVE);
		assert_int_equal(facts->kernels.count, 1);
		const struct kernel *kernel = &facts->kernels.items[0];
		assert_string_equal(kernel->version, "6.1.0-test");
		assert_string_equal(kernel->config.source, "/boot/config-6.1.0-test");
		assert_string_equal(kernel->sysctls.items[0].value, "1");
		assert_string_equal(kernel->sysctls.items[0].reason, "");
		assert_string_equal(kernel->sysctls.items[1].value, "0");
		assert_int_equal(kernel->sysctls.items[2].source, SYSCTL_ABSENT);
		assert_int_equal(kernel->sysctls.count, 4);
		assert_string_equal(kernel->sysctls.items[3].key, "net.ipv4.conf.ens4.rp_filter");
		assert_string_equal(kernel->sysctls.items[3].value, "1");
		assert_int_equal(kernel->modules.items[0].state, MODULE_FILE);
		assert_true(kernel->modules.items[0].loaded);
		assert_int_equal(kernel->modules.items[1].state, MODULE_UNKNOWN);
		assert_string_equal(facts->boot.entries.items[0].command_line,
		                    "root=/dev/sda1 console=ttyS0");
		assert_int_equal(facts->hardware.platform, ANSWER_YES);
		assert_string_equal(facts->hardware.pci_devices.items[0].driver, "virtio-pci");
		assert_string_equal(facts->hardware.virtio_devices.items[0].driver, "virtio_scsi");
		assert_string_equal(facts->hardware.virtio_devices.items[0].pci, "0000:00:03.0");
		assert_string_equal(facts->hardware.serial_ports.items[0].irq, "6");
		/* Only what runs is told: not what lies beside it. */
		assert_int_equal(facts->observations.items.count, 0);
	}
	arena_free(&arena);
}

/* A guest may pack as much as it likes: it does not fill the disk that it is unpacked to. */
static void a_capture_that_is_a_bomb(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct span packed = tool_filter(COMMAND("sh", "-c", "cat; yes | head -c 200000000 | gzip -1"),
	                                 (struct span){ 0 }, &arena);
	assert_true(packed.size < INSIDE_MOST);
	struct examination examination = examine_bytes(packed, &arena);
	assert_int_equal(examination.facts.examined, EXAMINED_NONE);
	assert_string_equal(examination.facts.reason,
	                    "what the machine sent of itself is more than one has to tell");
	arena_free(&arena);
}

static void no_capture_is_told(void **state)
{
	(void)state;
	struct arena arena = { 0 };
	struct tar_builder *tar = arena_alloc(&arena, sizeof(*tar));
	struct examination examination = examine_bytes(span_text("no tar at all"), &arena);
	assert_int_equal(examination.status, STATUS_NOT_EXAMINED);
	assert_string_equal(examination.facts.reason, "what the machine sent of itself is no tar archive");
	make_capture(tar);
	examination = examine_bytes(span_of(tar->bytes, tar->size - 1024), &arena);
	assert_int_equal(examination.status, STATUS_NOT_EXAMINED);
	assert_int_equal(examination.facts.examined, EXAMINED_PARTIAL);
	if (!str_starts(examination.facts.reason, "what the machine sent of itself is not whole"))
		fail_msg("%s", examination.facts.reason);
	arena_free(&arena);
}

static void offloads_have_the_kernels_names(void **state)
{
	(void)state;
	static const char printed[] =
		"Features for lo:\nrx-checksumming: on [fixed]\n\n"
		"Features for ens4:\nrx-checksumming: on [fixed]\ntx-checksumming: on\n"
		"\ttx-checksum-ipv4: off [fixed]\n\ttx-checksum-ip-generic: on\n"
		"tcp-segmentation-offload: on\n\ttx-tcp-segmentation: on\n\ttx-tcp6-segmentation: off\n"
		"generic-receive-offload: on\nlarge-receive-offload: off [fixed]\nrx-gro-list: off\n";
	static const char own[] = "ens4 rx-gro -rx-gro-list\n";
	struct text CLEANUP(text_free) out = { 0 };
	ethtool_of_program(printed, &out);
	assert_string_equal(text_get(&out), "lo rx-checksum\n"
	                                    "ens4 rx-checksum tx-checksum-ip-generic tx-tcp-segmentation "
	                                    "-tx-tcp6-segmentation rx-gro -rx-gro-list\n");
	text_clear(&out);
	ethtool_of_program(own, &out);
	assert_string_equal(text_get(&out), own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_put_together),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(marks_count_where_they_belong),
		cmocka_unit_test(the_command_line_is_kept),
		cmocka_unit_test(script_is_one_for_sh),
		cmocka_unit_test(init_is_in_the_initramfs),
		cmocka_unit_test(what_is_packed_is_gzip),
		cmocka_unit_test(a_capture_is_a_running_machine),
		cmocka_unit_test(a_capture_that_is_a_bomb),
		cmocka_unit_test(no_capture_is_told),
		cmocka_unit_test(offloads_have_the_kernels_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
