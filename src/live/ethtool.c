// Source: include/uapi/linux/ethtool.h. Reading features is open to everybody. The older ioctl() says all
// that the netlink messages say, on every kernel, and its socket can do nothing but be asked.
#include "live/ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Linux has some sixty. */
#define FEATURES_MAX   256u
#define INTERFACES_MAX 64u

static bool ask(int descriptor, const char *interface, void *question)
{
	struct ifreq request = { .ifr_data = question };
	size_t length = strlen(interface);
	if (length >= sizeof(request.ifr_name))
		return false;
	memcpy(request.ifr_name, interface, length + 1);
	return ioctl(descriptor, SIOCETHTOOL, &request) == 0;
}

/* The number of features that this kernel knows; 0: it does not say. */
static uint32_t count_features(int descriptor, const char *interface)
{
	union {
		struct ethtool_sset_info info;
		uint8_t room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
	} question = { .info = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = UINT64_C(1) << ETH_SS_FEATURES } };
	uint32_t count;
	if (!ask(descriptor, interface, &question) || question.info.sset_mask == 0)
		return 0;
	memcpy(&count, question.room + sizeof(struct ethtool_sset_info), sizeof(count));
	return count <= FEATURES_MAX ? count : 0;
}

/* One line: the interface and its features. */
static void add_interface(int descriptor, const char *interface, struct text *out)
{
	uint32_t count = count_features(descriptor, interface), blocks = (count + 31) / 32;
	if (count == 0)
		return;
	struct ethtool_gstrings *names = xmalloc(sizeof(*names) + (size_t)count * ETH_GSTRING_LEN);
	struct ethtool_gfeatures *features =
		xmalloc(sizeof(*features) + blocks * sizeof(struct ethtool_get_features_block));
	*names = (struct ethtool_gstrings){ .cmd = ETHTOOL_GSTRINGS,
		                            .string_set = ETH_SS_FEATURES,
		                            .len = count };
	*features = (struct ethtool_gfeatures){ .cmd = ETHTOOL_GFEATURES, .size = blocks };
	bool known = ask(descriptor, interface, names) && names->len == count &&
	             ask(descriptor, interface, features) && features->size == blocks;
	if (known)
		text_add(out, interface);
	for (uint32_t i = 0; known && i < count; i++) {
		const char *name = (const char *)names->data + (size_t)i * ETH_GSTRING_LEN;
		const struct ethtool_get_features_block *block = &features->features[i / 32];
		bool on = block->active >> (i % 32) & 1, could = block->available >> (i % 32) & 1;
		if (*name && (on || could))
			text_printf(out, " %s%.*s", on ? "" : "-", ETH_GSTRING_LEN, name);
	}
	if (known)
		text_add_char(out, '\n');
	free(names);
	free(features);
}

bool ethtool_ask(struct text *out)
{
	int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return false;
	struct if_nameindex *interfaces = if_nameindex();
	for (size_t i = 0; interfaces && interfaces[i].if_index && i < INTERFACES_MAX; i++)
		add_interface(descriptor, interfaces[i].if_name, out);
	if_freenameindex(interfaces);
	close(descriptor);
	return interfaces != NULL;
}

void ethtool_find(const char *text, const char *interface, struct arena *arena, const char **on,
                  const char **off)
{
	struct span rest = span_text(text ? text : ""), line;
	size_t length = strlen(interface);
	while (span_next_line(&rest, &line)) {
		if (!span_has(line, 0, interface, length) || !span_has(line, length, " ", 1))
			continue;
		struct text CLEANUP(text_free) is_on = { 0 }, is_off = { 0 };
		const char *words = arena_string(arena, span_from(line, length + 1));
		for (const char *at = words; *at; at += strspn(at, " ")) {
			size_t size = strcspn(at, " ");
			bool off_word = *at == '-';
			struct text *list = off_word ? &is_off : &is_on;
			text_add(list, list->size ? " " : "");
			text_add_span(list, span_of(at + off_word, size - off_word));
			at += size;
		}
		*on = arena_strdup(arena, text_get(&is_on));
		*off = arena_strdup(arena, text_get(&is_off));
		return;
	}
}
