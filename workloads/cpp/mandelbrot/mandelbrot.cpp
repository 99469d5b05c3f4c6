// Counts the points of a SIZE by SIZE grid that stay in the Mandelbrot set for LIMIT steps.

#include "input.hpp"

namespace {

struct Grid {
    unsigned size, limit;
};

struct Counts {
    std::uint64_t inside, steps;
};

unsigned escape(double cx, double cy, unsigned limit)
{
    double zx = 0, zy = 0;
    for (unsigned step = 0; step < limit; step++) {
        if (zx * zx + zy * zy > 4) {
            return step;
        }
        double x = zx * zx - zy * zy + cx;
        zy = 2 * zx * zy + cy;
        zx = x;
    }
    return limit;
}

Counts count(const Grid &grid)
{
    auto place = [&](unsigned index) { return 3 * (index + 0.5) / grid.size; };
    Counts counts{};
    for (unsigned row = 0; row < grid.size; row++) {
        for (unsigned column = 0; column < grid.size; column++) {
            unsigned steps = escape(place(column) - 2.25, place(row) - 1.5, grid.limit);
            counts.steps += steps;
            counts.inside += steps == grid.limit;
        }
    }
    return counts;
}

} // namespace

int main()
{
    Grid grid{input::number<unsigned>("SIZE", 1, 4000), input::number<unsigned>("LIMIT", 1, 100'000)};
    auto counts = input::repeat(input::iterations(), grid, count);
    return input::answer(std::to_string(counts.inside) + ' ' + std::to_string(counts.steps) + '\n');
}
