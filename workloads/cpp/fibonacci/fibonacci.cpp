// The Nth Fibonacci number by plain recursion, ITERATIONS times.

#include "input.hpp"

// The last one that fits 64 bits.
constexpr unsigned largest = 93;

static std::uint64_t fibonacci(unsigned n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

int main()
{
    auto n = input::number<unsigned>("N", 0, largest);
    auto number = input::repeat(input::iterations(), n, fibonacci);
    return input::answer(std::to_string(number) + '\n');
}
