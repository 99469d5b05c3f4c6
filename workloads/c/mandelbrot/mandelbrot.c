/* Counts the points of a SIZE by SIZE grid that stay in the Mandelbrot set for LIMIT steps. */

#include "input.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct counts {
    uint64_t inside, steps;
};

static uint32_t escape(double cx, double cy, uint32_t limit)
{
    double zx = 0.0, zy = 0.0;
    uint32_t steps = 0;
    while (steps < limit && zx * zx + zy * zy <= 4.0) {
        double x = zx * zx - zy * zy + cx;
        zy = 2.0 * zx * zy + cy;
        zx = x;
        steps++;
    }
    return steps;
}

static struct counts count(uint32_t size, uint32_t limit)
{
    struct counts counts = {0};
    for (uint32_t row = 0; row < size; row++) {
        double cy = 3.0 * (row + 0.5) / size - 1.5;
        for (uint32_t column = 0; column < size; column++) {
            double cx = 3.0 * (column + 0.5) / size - 2.25;
            uint32_t steps = escape(cx, cy, limit);
            counts.steps += steps;
            counts.inside += steps == limit;
        }
    }
    return counts;
}

int main(void)
{
    uint32_t size = (uint32_t)input_number("SIZE", 1, 4000);
    uint32_t limit = (uint32_t)input_number("LIMIT", 1, 100000);
    uint64_t iterations = input_iterations();
    struct counts counts = {0};
    for (uint64_t i = 0; i < iterations; i++) {
        hide(&size);
        counts = count(size, limit);
        hide(&counts);
    }
    printf("%" PRIu64 " %" PRIu64 "\n", counts.inside, counts.steps);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
