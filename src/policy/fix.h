// The next step to take, as a command or an edit to copy. Whoever copies it runs it: text of the image that
// a shell could take for more than a word stays out of commands.
#pragma once

#include "policy/outcome.h"
#include "policy/predicate.h"

/* The family of distributions whose tools a fix names: "debian", "rhel", "suse", "alpine", "arch"; "". */
const char *fix_family(const struct os *os);

/* The kernel's release as a word of a command; "VERSION" when it is not known, or not plain. */
const char *fix_release(const struct context *context);

/* The policy's own fix for a case ("absent"), a boot loader but GRUB, the family, or all; NULL: none. */
const char *fix_from_policy(const struct context *context, const struct rule *rule, const char *variant);

/* Makes the initramfs carry modules (blank between). */
const char *fix_initramfs(const struct context *context, const char *modules);

/* Makes the initramfs carry what activates logical volumes. */
const char *fix_initramfs_lvm(const struct context *context);

/* Takes a word off the kernel's command line, or puts one on it. */
const char *fix_command_line(const struct context *context, const char *remove, const char *add);

/* Makes the boot loader boot at once. */
const char *fix_menu_timeout(const struct context *context);

/* Sets a key so that it wins over whatever sets it now. */
const char *fix_sysctl(const struct context *context, const struct sysctl *sysctl, const char *value);

/* The same where interfaces have to end up with the value: whatever line decides, or all of them at once. */
const char *fix_effective(const struct context *context, const struct sysctl *judged, const char *value);

/* Adds "--enable SYMBOL" to the changes of fix_rebuild(), once. */
void fix_add_enable(struct text *changes, const char *symbol);

/* The same for what a symbol depends on: while any of that is off, olddefconfig drops the symbol in silence.
 */
void fix_add_menus(struct text *changes, const char *symbol);

/* Rebuilds the kernel with these changes to its configuration: "--enable SCSI_VIRTIO". */
const char *fix_rebuild(const struct context *context, const char *changes);
