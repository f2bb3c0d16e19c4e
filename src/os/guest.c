// Guest settings: what the platform's pages ask of a system, seen in its files. One observation for each name
// below, always; what cannot be told is UNKNOWN with a reason.
//
// name                        YES means                                 value
// guest.ntp                   a time client is installed                its servers, blank between
// guest.timezone              a zone is in effect                       "UTC", "Europe/Berlin"
// guest.dhcp                  the first interface takes its address and
//                             MTU by DHCP                               who does it: "networkd", "ifupdown",
//                             ...
// guest.persistent-net-rules  udev rules bind names to cards            NULL
// guest.irqbalance            it is installed                           NULL
// guest.firewall              one is enabled                            "ufw", "firewalld", ...
// guest.root-ssh              root can log in by password               PermitRootLogin as it is in effect
// guest.environment           the guest agent is installed              packages or programs of it
// guest.machine-id            an id is baked in                         NULL
// guest.host-keys             private SSH host keys are there           how many
// guest.serial-getty          a login on a serial line                  lines, blank between; "console": on
// those
//                                                                       that the kernel's command line names
#include "os/guest.h"

#include <string.h>

static const struct {
	const char *name;
	observe_fn *observe;
} observers[] = {
	{ "guest.ntp", observe_ntp },
	{ "guest.timezone", observe_timezone },
	{ "guest.dhcp", observe_dhcp },
	{ "guest.persistent-net-rules", observe_persistent_net_rules },
	{ "guest.irqbalance", observe_irqbalance },
	{ "guest.firewall", observe_firewall },
	{ "guest.root-ssh", observe_root_ssh },
	{ "guest.environment", observe_environment },
	{ "guest.machine-id", observe_machine_id },
	{ "guest.host-keys", observe_host_keys },
	{ "guest.serial-getty", observe_serial_getty },
};

/* Files and directories that one observer may open: includes of includes add up. */
#define FILES_MOST 512

/* A tree of /usr alone says what is installed; what is set is told when /etc is made, or put beside it. */
static bool has_settings(const struct tree *tree)
{
	struct tree_file file;
	struct error error = { 0 };
	return tree_lookup(tree, "/etc", &file, &error) || error.code != ERROR_NOT_FOUND;
}

void guest_observe(const struct tree *tree, const struct os *os, struct arena *arena,
                   struct observations *out)
{
	struct guest_wants wants = { 0 };
	bool set = has_settings(tree);
	for (size_t i = 0; i < ARRAY_SIZE(observers); i++) {
		struct guest_effort effort = { .files_left = FILES_MOST };
		struct guest guest = { tree, os, arena, &wants, &effort };
		struct observation seen = { .name = observers[i].name };
		observers[i].observe(&guest, &seen);
		if (effort.trouble || !set)
			guest_say(&seen, ANSWER_UNKNOWN, NULL,
			          effort.trouble ? effort.trouble
			                         : "there is no /etc, in which a system has its settings");
		*LIST_ADD(arena, &out->items) = seen;
	}
}
