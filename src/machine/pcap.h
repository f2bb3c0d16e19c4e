// Frames written down as classic pcap, for Wireshark and tcpdump.
#pragma once

#include <time.h>

#include "machine/log.h"

struct pcap {
	struct log log;
	uint64_t written; /* bytes; what would be too much is left out */
};

void pcap_begin(struct pcap *pcap, int file);

/* An Ethernet frame that came at `when`. */
void pcap_write(struct pcap *pcap, struct timespec when, struct span frame);
