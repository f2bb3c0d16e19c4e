// What QEMU says to QMP: the input is played to one that asks, a part (up to a NUL) for each command.
#include <poll.h>
#include <stdlib.h>

#include "../tests/unit/fake_qemu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct qmp *qmp)
{
	struct error error = { 0 };
	struct text answer = { 0 };
	json_t *value = NULL;
	if (qmp_ask(qmp, "query-status", NULL, &value, &error) != (value != NULL))
		abort();
	json_decref(value);
	if (!qmp_ask(qmp, "device_del", json_pack("{s:s}", "id", "spare"), NULL, &error) &&
	    error.code == ERROR_NONE)
		abort();
	for (int i = 0; i < 8 && qmp_monitor(qmp, "info irq", &answer, &error); i++)
		(void)qmp_saw(qmp, 0, "DEVICE_DELETED", "spare");
	if (qmp->reply_line > qmp->line || qmp->event_count > QMP_EVENTS_MOST)
		abort();
	/* They go into reports. */
	for (size_t i = 0; i < qmp->event_count; i++)
		for (const char *at = qmp->events[i].detail; *at; at++)
			if ((unsigned char)*at < 0x20 || *at == 0x7f)
				abort();
	text_free(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_qemu fake;
	struct qmp qmp;
	struct error error = { 0 };
	fake_open(&fake, span_of(data, size), FAKE_HURRIES);
	if (qmp_open(fake.ours, &fake.loop, -1, &qmp, &error)) {
		(void)qmp_has(&qmp, "x-query-virtio-status");
		ask(&qmp);
	} else if (error.code == ERROR_NONE) {
		abort();
	}
	qmp_close(&qmp);
	fake_close(&fake);
	return 0;
}
