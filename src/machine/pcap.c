#include "machine/pcap.h"

#include "machine/bytes.h"

/*
 * A header (magic for nanoseconds, version 2.4, time zone, accuracy, longest frame, link type), then for each
 * frame seconds, nanoseconds, bytes here, bytes on the wire. The byte order is the writer's; ours is the
 * network's.
 */
#define MAGIC         0xa1b23c4d
#define LONGEST       262144
#define LINK_ETHERNET 1

/* A guest that floods its network does not fill the disk. */
#define BYTES_MOST ((uint64_t)64 << 20)

static void write_both(struct pcap *pcap, const struct text *header, struct span frame)
{
	struct text record CLEANUP(text_free) = { 0 };
	text_add_span(&record, span_of(header->data, header->size));
	text_add_span(&record, frame);
	/* A record that is half there would damage those behind it: none is written then. */
	log_write(&pcap->log, span_of(record.data, record.size));
	pcap->written += record.size;
}

void pcap_begin(struct pcap *pcap, int file)
{
	*pcap = (struct pcap){ .log.file = file };
	if (file < 0)
		return;
	struct text header = { 0 };
	put_be32(&header, MAGIC);
	put_be16(&header, 2);
	put_be16(&header, 4);
	put_be32(&header, 0);
	put_be32(&header, 0);
	put_be32(&header, LONGEST);
	put_be32(&header, LINK_ETHERNET);
	write_both(pcap, &header, (struct span){ 0 });
	text_free(&header);
}

void pcap_write(struct pcap *pcap, struct timespec when, struct span frame)
{
	if (pcap->log.file < 0 || frame.size > LONGEST || pcap->written + frame.size > BYTES_MOST)
		return;
	struct text header = { 0 };
	put_be32(&header, (uint32_t)when.tv_sec);
	put_be32(&header, (uint32_t)when.tv_nsec);
	put_be32(&header, (uint32_t)frame.size);
	put_be32(&header, (uint32_t)frame.size);
	write_both(pcap, &header, frame);
	text_free(&header);
}
