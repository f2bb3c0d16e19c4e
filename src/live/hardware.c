#include "live/hardware.h"

#include "live/sysfs.h"

/* SMBIOS, type 1: the same text on all of the platform's machines, x86 and arm64. */
static void read_product(struct machine_reader *reader)
{
	struct hardware *out = reader->out;
	out->product = sysfs_text(reader, "/sys/class/dmi/id/product_name", &out->product_place);
	if (out->product)
		out->platform = str_equal(out->product, HARDWARE_PLATFORM) ? ANSWER_YES : ANSWER_NO;
}

void hardware_read(const struct tree *tree, const struct machine_answers *answers, struct budget *budget,
                   struct arena *arena, struct hardware *out)
{
	struct machine_reader reader = {
		.tree = tree, .answers = answers, .budget = budget, .arena = arena, .out = out
	};
	*out = (struct hardware){ 0 };
	read_product(&reader);
	pci_read(&reader);
	virtio_read(&reader);
	network_read(&reader);
	scsi_read(&reader);
	serial_read(&reader);
}
