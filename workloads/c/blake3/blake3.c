/* The BLAKE3 hash of TEXT in hexadecimal, computed ITERATIONS times. */

#include "input.h"

#include <blake3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    const char *text = input_text("TEXT");
    uint64_t iterations = input_iterations();
    size_t len = strlen(text);
    uint8_t hash[BLAKE3_OUT_LEN];
    for (uint64_t i = 0; i < iterations; i++) {
        blake3_hasher hasher;
        hide(text);
        blake3_hasher_init(&hasher);
        blake3_hasher_update(&hasher, text, len);
        blake3_hasher_finalize(&hasher, hash, sizeof hash);
        hide(hash);
    }
    for (size_t i = 0; i < sizeof hash; i++) {
        printf("%02x", hash[i]);
    }
    putchar('\n');
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
