/* Sorts COUNT random numbers and prints the least, the middle and the greatest of them. */

#include "input.h"
#include "random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

int main(void)
{
    size_t count = (size_t)input_number("COUNT", 1, 10000000);
    uint32_t state = (uint32_t)input_number("SEED", 1, UINT32_MAX);
    uint32_t *numbers = allocate(count, sizeof *numbers);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = xorshift(&state);
    }
    qsort(numbers, count, sizeof *numbers, compare);

    uint32_t checksum = 0;
    for (size_t i = 0; i < count; i++) {
        checksum = checksum * 31 + numbers[i];
    }
    printf("%" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", numbers[0], numbers[count / 2], numbers[count - 1],
           checksum);
    free(numbers);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
