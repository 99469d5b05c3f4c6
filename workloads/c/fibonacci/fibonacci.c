/* The Nth Fibonacci number by plain recursion, ITERATIONS times. */

#include "input.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The last one that fits 64 bits. */
enum { LARGEST = 93 };

static uint64_t fibonacci(uint32_t n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

int main(void)
{
    uint32_t n = (uint32_t)input_number("N", 0, LARGEST);
    uint64_t iterations = input_iterations(), number = 0;
    for (uint64_t i = 0; i < iterations; i++) {
        hide(&n);
        number = fibonacci(n);
        hide(&number);
    }
    printf("%" PRIu64 "\n", number);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
