// The SCSI commands that a guest sends to one disk, as QEMU's trace tells them on its standard error:
//
//   scsi_req_parsed target 2 lun 0 tag -1031202032 command 18 dir 1 length 4
//   scsi_disk_new_request Command: lun=0 tag=0xc2891b10 data=12 01 00 00 04 00
//
// The second has the whole command and no target; the tag joins the two. The trace is on while one disk is
// plugged in and asked for the first time, some sixty commands, and off again: it costs a line for every
// command of every disk.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/proofs_private.h"

/* SPC-4 and SBC-3 */
#define READ_6            0x08
#define INQUIRY           0x12
#define MODE_SENSE_6      0x1a
#define READ_CAPACITY_10  0x25
#define READ_10           0x28
#define MODE_SENSE_10     0x5a
#define READ_16           0x88
#define SERVICE_ACTION_IN 0x9e
#define SA_READ_CAPACITY  0x10
#define INQUIRY_VITAL     0x01 /* EVPD */

#define COMMANDS_MOST 512
#define LINE_MOST     1024

struct scsi_trace {
	struct machine *machine;
	struct scsi_seen *seen;
	unsigned target;
	uint32_t tag; /* of the last command for the target */
	bool has_tag;
	bool asked[256]; /* pages of vital product data */
	struct text line;
	bool had_watch;
	struct loop_watch before; /* who else reads the standard error */
};

static const char *const events[] = { "scsi_req_parsed", "scsi_disk_new_request" };

/* Each kind of command once: the first line that shows it. */
static void note(uint64_t *place, uint64_t line)
{
	if (*place == 0)
		*place = line;
}

static void take_inquiry(struct scsi_trace *trace, const uint8_t *bytes, uint64_t line)
{
	if (!(bytes[1] & INQUIRY_VITAL)) {
		note(&trace->seen->inquiry_line, line);
		return;
	}
	note(&trace->seen->pages_line, line);
	/* Block limits, block device characteristics, provisioning: SBC-3's own. */
	if (bytes[2] >= 0xb0 && bytes[2] <= 0xb2)
		note(&trace->seen->block_page_line, line);
	if (trace->asked[bytes[2]])
		return;
	trace->asked[bytes[2]] = true;
	trace->seen->pages =
		arena_printf(trace->machine->arena, "%s%s%02x", trace->seen->pages ? trace->seen->pages : "",
	                     trace->seen->pages ? ", " : "", bytes[2]);
}

static void take_command(struct scsi_trace *trace, const uint8_t *bytes, size_t size, const char *text)
{
	struct scsi_seen *seen = trace->seen;
	if (size < 6 || seen->commands == COMMANDS_MOST)
		return;
	seen->commands++;
	uint64_t line = qmp_note(trace->machine->qmp, "trace", text);
	switch (bytes[0]) {
	case INQUIRY:
		take_inquiry(trace, bytes, line);
		break;
	case SERVICE_ACTION_IN:
		if ((bytes[1] & 0x1f) == SA_READ_CAPACITY)
			note(&seen->capacity16_line, line);
		break;
	case READ_CAPACITY_10:
		note(&seen->capacity10_line, line);
		break;
	case MODE_SENSE_6:
	case MODE_SENSE_10:
		note(&seen->mode_line, line);
		break;
	case READ_6:
	case READ_10:
	case READ_16:
		note(&seen->read_line, line);
		break;
	}
}

/* "12 01 00 00 04 00"; older ones say "0x12 0x01 0x00 0x00 0x04 0x00". */
static size_t read_bytes(const char *text, uint8_t bytes[16])
{
	size_t count = 0;
	unsigned byte;
	int used;
	while (count < 16 &&
	       (sscanf(text, " 0x%2x%n", &byte, &used) == 1 || sscanf(text, " %2x%n", &byte, &used) == 1)) {
		bytes[count++] = (uint8_t)byte;
		text += used;
	}
	return count;
}

static void take_line(struct scsi_trace *trace, const char *line)
{
	unsigned target, lun;
	int tag;
	unsigned command_tag;
	int data = 0;
	/* With a time and a process in front, where QEMU was built to say them. */
	const char *parsed = strstr(line, "scsi_req_parsed target ");
	const char *request = strstr(line, "scsi_disk_new_request Command: ");
	if (parsed &&
	    sscanf(parsed, "scsi_req_parsed target %9u lun %9u tag %12d ", &target, &lun, &tag) == 3) {
		trace->has_tag = target == trace->target;
		trace->tag = (uint32_t)tag;
	} else if (request && trace->has_tag &&
	           sscanf(request, "scsi_disk_new_request Command: lun=%9u tag=0x%8x data=%n", &lun,
	                  &command_tag, &data) == 2 &&
	           data > 0 && command_tag == trace->tag) {
		uint8_t bytes[16] = { 0 };
		take_command(trace, bytes, read_bytes(request + data, bytes), request);
		trace->has_tag = false;
	}
}

void scsi_trace_feed(struct scsi_trace *trace, struct span bytes)
{
	for (size_t i = 0; i < bytes.size; i++) {
		char byte = (char)bytes.data[i];
		if (byte == '\n') {
			take_line(trace, text_get(&trace->line));
			text_clear(&trace->line);
		} else if (byte != 0 && trace->line.size < LINE_MOST) {
			text_add_char(&trace->line, byte);
		}
	}
}

static void ready(void *context, int descriptor, short came)
{
	(void)came;
	struct scsi_trace *trace = context;
	char bytes[16384];
	ssize_t got = read(descriptor, bytes, sizeof(bytes));
	if (got > 0)
		scsi_trace_feed(trace, span_of(bytes, (size_t)got));
	else if (got == 0 || (errno != EINTR && errno != EAGAIN))
		loop_forget(trace->machine->loop, descriptor);
}

static bool switch_events(struct machine *machine, bool on)
{
	struct error error;
	bool switched = qmp_has(machine->qmp, "trace-event-set-state");
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		switched = switched &&
		           qmp_ask(machine->qmp, "trace-event-set-state",
		                   json_pack("{s:s, s:b}", "name", events[i], "enable", on), NULL, &error);
	return switched;
}

struct scsi_trace *scsi_trace_new(struct machine *machine, unsigned target, struct scsi_seen *seen)
{
	struct scsi_trace *trace = arena_alloc(machine->arena, sizeof(*trace));
	*trace = (struct scsi_trace){ .machine = machine, .seen = seen, .target = target };
	return trace;
}

struct scsi_trace *scsi_trace_begin(struct machine *machine, unsigned target, struct scsi_seen *seen)
{
	struct loop *loop = machine->loop;
	if (machine->said < 0)
		return NULL;
	struct scsi_trace *trace = scsi_trace_new(machine, target, seen);
	for (size_t i = 0; i < loop->count && !trace->had_watch; i++)
		if (loop->watches[i].descriptor == machine->said) {
			trace->before = loop->watches[i];
			trace->had_watch = true;
		}
	loop_watch(loop, machine->said, POLLIN, ready, trace);
	seen->traced = switch_events(machine, true);
	if (seen->traced)
		return trace;
	scsi_trace_end(trace);
	return NULL;
}

void scsi_trace_end(struct scsi_trace *trace)
{
	struct machine *machine = trace->machine;
	switch_events(machine, false);
	/* What it had said before that: it must not be taken for a complaint. */
	loop_until(machine->loop, 0.05, NULL, NULL);
	loop_forget(machine->loop, machine->said);
	if (trace->had_watch)
		loop_watch(machine->loop, machine->said, trace->before.events, trace->before.ready,
		           trace->before.context);
	scsi_trace_free(trace);
}

void scsi_trace_free(struct scsi_trace *trace)
{
	text_free(&trace->line);
}
