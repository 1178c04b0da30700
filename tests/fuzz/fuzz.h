/* The one function of a fuzz target, and what an input that must never happen does. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise that was broken: the fuzzer keeps the input. */
#define FUZZ_EXPECT(claim)    \
    do {                      \
        if (!(claim))         \
            __builtin_trap(); \
    } while (0)

#endif
