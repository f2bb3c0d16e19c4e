// Facts as the words of a sentence: sizes, places, counts.
#pragma once

#include "facts/facts.h"
#include "policy/policy.h"

/* "3.0 GiB", "512 bytes". */
void phrase_size(struct text *text, uint64_t bytes);

/* "1 required failure", "2 required failures": `what` takes an s. */
void phrase_count(struct text *text, uint64_t count, const char *what);

/*
 * Where something was seen: "/etc/fstab:3", "/EFI/BOOT/BOOTX64.EFI (partition 1)", "byte 512". The partition
 * is named where the path is not one of the running system's.
 */
void phrase_place(struct text *text, const struct place *place, const struct facts *facts);

/*
 * Several places: the lines of one file together ("/etc/fstab:3,5"), and of more than `most` files or other
 * places "... and 2 more".
 */
void phrase_places(struct text *text, const struct place *places, size_t count, size_t most,
                   const struct facts *facts);

/* Nothing to name: no path, offset, partition or text. */
bool place_is_empty(const struct place *place);

/* "disk" and so on, what the input is: "3.0 GiB raw, GPT, boots BIOS and UEFI, Debian 12, Linux 6.1 (...)".
 */
void phrase_input(struct text *text, const struct facts *facts);

/* Name a file as it was given on the command line: printable, whatever bytes it has. */
void phrase_name(struct text *text, const char *name);

/* Ends a sentence that may have its own end. */
void phrase_end(struct text *text);

/* "BIOS", "UEFI", "its kernel loaded directly": behind "with". */
const char *run_firmware(const struct run *run);

/*
 * The findings that explain a symptom, one after the other: NULL for the first one, and after the last. Those
 * that failed; where none did, those that are not known to be met.
 */
const struct finding *phrase_explains(const struct judgement *judgement, const struct symptom *symptom,
                                      const struct finding *after);
