// What `ethtool -k` prints, as a text of ethtool.h:
//
//   Features for ens4:
//   rx-checksumming: on [fixed]
//   tx-checksumming: on
//   \ttx-checksum-ip-generic: on
//   generic-receive-offload: on
//   rx-gro-hw: off [fixed]
//
// Older versions print "Offload parameters for". Summaries stand in front of the features they sum up, which
// are indented; a group of one feature has its old name alone.
#include "live/ethtool.h"

/* Those old names, and the kernel's own. */
static const struct {
	const char *old, *name;
} old_names[] = {
	{ "rx-checksumming", "rx-checksum" },
	{ "generic-segmentation-offload", "tx-generic-segmentation" },
	{ "generic-receive-offload", "rx-gro" },
	{ "large-receive-offload", "rx-lro" },
	{ "rx-vlan-offload", "rx-vlan-hw-parse" },
	{ "tx-vlan-offload", "tx-vlan-hw-insert" },
	{ "ntuple-filters", "rx-ntuple-filter" },
	{ "receive-hashing", "rx-hashing" },
};

/* Sums of several features, which are not features themselves. */
static const char *const sums[] = { "tx-checksumming", "scatter-gather", "tcp-segmentation-offload" };

/* The interface of a heading: the word between " for " and ':'. False: it is none. */
static bool heading(struct span line, struct span *name)
{
	static const char word[] = " for ";
	size_t at = span_find(line, 0, word, sizeof(word) - 1);
	if (at == SIZE_MAX || line.size == 0 || line.data[line.size - 1] != ':')
		return false;
	*name = span_trim(span_from(line, at + sizeof(word) - 1));
	name->size--;
	return name->size > 0 && span_find(*name, 0, " ", 1) == SIZE_MAX;
}

static void add_feature(struct span line, struct text *out)
{
	size_t colon = span_find(line, 0, ": ", 2);
	if (colon == SIZE_MAX)
		return;
	struct span name = span_trim(span_of(line.data, colon)), value = span_from(line, colon + 2);
	bool on = span_has(value, 0, "on", 2);
	bool is_fixed = span_find(value, 0, "[fixed]", 7) != SIZE_MAX;
	if ((!on && is_fixed) || name.size == 0 || span_find(name, 0, " ", 1) != SIZE_MAX)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
		if (span_equal_text(name, sums[i]))
			return;
	for (size_t i = 0; i < ARRAY_SIZE(old_names); i++)
		if (span_equal_text(name, old_names[i].old))
			name = span_text(old_names[i].name);
	text_add(out, on ? " " : " -");
	text_add_span(out, name);
}

void ethtool_of_program(const char *printed, struct text *out)
{
	struct span rest = span_text(printed), line, name;
	bool any = false;
	while (span_next_line(&rest, &line)) {
		line = span_trim(line);
		if (heading(line, &name)) {
			text_add(out, any ? "\n" : "");
			text_add_span(out, name);
			any = true;
		} else if (any) {
			add_feature(line, out);
		}
	}
	text_add(out, any ? "\n" : printed);
}
