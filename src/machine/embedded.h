// Private to machine/: files that are part of the program, made into arrays by policy/embed.py.
#pragma once

#include <stddef.h>

/* capture.sh, for systemd guests */
extern const unsigned char capture_script[];
extern const size_t capture_script_size;

/* init/, the static program that is a kernel's whole user space; empty where it could not be built */
extern const unsigned char machine_init[];
extern const size_t machine_init_size;
