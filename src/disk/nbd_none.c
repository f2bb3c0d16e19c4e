// Built without libnbd: containers that need a server are recognised and named, but not read.
#include "disk/container.h"
#include "disk/nbd.h"

bool nbd_library_load(struct error *error)
{
	return error_set(
		error, ERROR_UNSUPPORTED,
		"this slipway was built without libnbd, which reading it needs: convert it with `qemu-img "
		"convert -O raw IMAGE disk.raw` and give disk.raw");
}

bool nbd_open(const struct input *input, struct disk *disk, struct error *error)
{
	(void)input;
	(void)disk;
	return nbd_library_load(error);
}

void nbd_close_disk(struct nbd *nbd)
{
	(void)nbd;
}
