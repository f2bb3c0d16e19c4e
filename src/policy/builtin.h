// The policy that is part of the program: policy/gce.conf, made into an array by embed.py.
#pragma once

#include <stddef.h>

extern const unsigned char builtin_policy[];
extern const size_t builtin_policy_size;
