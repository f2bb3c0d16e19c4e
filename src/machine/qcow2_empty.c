#include "machine/qcow2_empty.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"

/*
 * The layout, after docs/interop/qcow2.rst of QEMU, version 3, all numbers big-endian:
 *
 *	cluster 0   header, 104 bytes, and the end of its extensions (8 zero bytes)
 *	cluster 1   reference count table: its first entry points at cluster 2
 *	cluster 2   reference counts of 16 bits: 1 for every cluster that is listed here
 *	cluster 3   L1 table: all zero, so that nothing is allocated, 8 bytes for each 512 MiB of the disk
 */
#define CLUSTER_BITS 16u
#define CLUSTER      (1u << CLUSTER_BITS)
#define HEADER_SIZE  104
#define L1_CLUSTER   3
#define L1_COVERS    ((uint64_t)CLUSTER * (CLUSTER / 8)) /* bytes of the disk, by one entry */

/* QEMU takes L1 tables of up to 32 MiB; 16 TiB is more than any disk of the platform. */
#define SIZE_MOST ((uint64_t)16 << 40)

static void put(uint8_t *at, uint64_t value, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		at[i] = (uint8_t)(value >> 8 * (width - 1 - i));
}

static void fill_header(uint8_t *cluster, uint64_t size, uint64_t l1_entries)
{
	memcpy(cluster, "QFI\xfb", 4);
	put(cluster + 4, 3, 4); /* version */
	put(cluster + 20, CLUSTER_BITS, 4);
	put(cluster + 24, size, 8);
	put(cluster + 36, l1_entries, 4);
	put(cluster + 40, (uint64_t)L1_CLUSTER * CLUSTER, 8);
	put(cluster + 48, CLUSTER, 8); /* reference count table */
	put(cluster + 56, 1, 4);       /* clusters of it */
	put(cluster + 96, 4, 4);       /* reference counts of 1 << 4 bits */
	put(cluster + 100, HEADER_SIZE, 4);
}

static bool write_cluster(int descriptor, const uint8_t *cluster, uint64_t number, struct error *error)
{
	size_t done = 0;
	while (done < CLUSTER) {
		ssize_t got =
			pwrite(descriptor, cluster + done, CLUSTER - done, (off_t)(number * CLUSTER + done));
		if (got > 0)
			done += (size_t)got;
		else if (got == 0 || errno != EINTR)
			return error_set(error, ERROR_IO, "%s", got == 0 ? "write error" : strerror(errno));
	}
	return true;
}

bool qcow2_write_empty(int descriptor, uint64_t size, struct error *error)
{
	uint64_t rounded;
	if (!align_up_u64(size, 512, &rounded) || rounded > SIZE_MOST)
		return error_set(error, ERROR_LIMIT, "a disk of %llu bytes is larger than 16 TiB",
		                 (unsigned long long)size);
	uint64_t l1_entries = (rounded + L1_COVERS - 1) / L1_COVERS;
	uint64_t l1_clusters = (l1_entries * 8 + CLUSTER - 1) / CLUSTER;
	uint64_t clusters = L1_CLUSTER + (l1_clusters ? l1_clusters : 1);
	uint8_t cluster[CLUSTER] = { 0 };
	fill_header(cluster, rounded, l1_entries);
	if (!write_cluster(descriptor, cluster, 0, error))
		return false;
	memset(cluster, 0, CLUSTER);
	put(cluster, (uint64_t)2 * CLUSTER, 8);
	if (!write_cluster(descriptor, cluster, 1, error))
		return false;
	memset(cluster, 0, CLUSTER);
	for (uint64_t i = 0; i < clusters; i++)
		put(cluster + 2 * i, 1, 2);
	if (!write_cluster(descriptor, cluster, 2, error))
		return false;
	/* Written, not left a hole: what has no room for it is to be told now. */
	memset(cluster, 0, CLUSTER);
	for (uint64_t i = L1_CLUSTER; i < clusters; i++)
		if (!write_cluster(descriptor, cluster, i, error))
			return false;
	return true;
}
