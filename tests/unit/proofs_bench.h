// A machine whose QEMU is played and whose console is written before.
#pragma once

#include <stdlib.h>

#include "fake_qemu.h"
#include "machine/network.h"
#include "machine/proofs_private.h"

struct proofs_bench {
	struct fake_qemu fake;
	struct qmp qmp;
	struct console console;
	struct network network; /* none */
	struct run run;
	struct arena arena;
	struct machine machine;
};

/* `script` and `end` as of fake_open(); what the bench asks for proofs begins with id 3. */
static void proofs_bench_open(struct proofs_bench *bench, struct span script, enum fake_end end,
                              struct span console)
{
	struct error error;
	*bench = (struct proofs_bench){ .network = { .tap = -1, .pcap = -1 } };
	fake_open(&bench->fake, script, end);
	console_open(&bench->console, &bench->run, &bench->arena);
	console_feed(&bench->console, console, 1, 1);
	console_end(&bench->console);
	/* One that fails is a machine that is gone: the proofs must bear with it. */
	(void)!qmp_open(bench->fake.ours, &bench->fake.loop, -1, &bench->qmp, &error);
	bench->machine = (struct machine){ .loop = &bench->fake.loop,
		                           .arena = &bench->arena,
		                           .qmp = &bench->qmp,
		                           .console = &bench->console,
		                           .network = &bench->network,
		                           .run = &bench->run,
		                           .said = -1 };
}

static void proofs_bench_close(struct proofs_bench *bench)
{
	qmp_close(&bench->qmp);
	console_free(&bench->console);
	arena_free(&bench->arena);
	fake_close(&bench->fake);
}
