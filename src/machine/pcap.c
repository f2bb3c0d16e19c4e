#include "machine/pcap.h"

#include <sys/uio.h>
#include <unistd.h>

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
	struct iovec parts[] = {
		{ .iov_base = header->data, .iov_len = header->size },
		{ .iov_base = (void *)frame.data, .iov_len = frame.size },
	};
	uint64_t size = header->size + frame.size;
	/* A record that is half there would damage those behind it. */
	if (writev(pcap->file, parts, 2) != (ssize_t)size)
		pcap->file = -1;
	pcap->written += size;
}

void pcap_begin(struct pcap *pcap, int file)
{
	*pcap = (struct pcap){ .file = file };
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
	if (pcap->file < 0 || frame.size > LONGEST || pcap->written + frame.size > BYTES_MOST)
		return;
	struct text header = { 0 };
	put_be32(&header, (uint32_t)when.tv_sec);
	put_be32(&header, (uint32_t)when.tv_nsec);
	put_be32(&header, (uint32_t)frame.size);
	put_be32(&header, (uint32_t)frame.size);
	write_both(pcap, &header, frame);
	text_free(&header);
}
