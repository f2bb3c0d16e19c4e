// Compiler attributes that the house uses, in one place.
#pragma once

#define NODISCARD                          __attribute__((warn_unused_result))
#define PRINTF(text_index, first_argument) __attribute__((format(printf, text_index, first_argument)))
#define NORETURN                           __attribute__((noreturn))
/* Runs `function(&variable)` when the variable leaves its scope. */
#define CLEANUP(function) __attribute__((cleanup(function)))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* A sanitizer reserves terabytes of address space and makes calls of its own at any time. */
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_SANITIZER true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER true
#endif
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER false
#endif
