// Sorts COUNT random numbers and prints the least, the middle and the greatest of them.

#include "input.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

int main()
{
    std::vector<std::uint32_t> numbers(input::number<std::uint32_t>("COUNT", 1, 10'000'000));
    input::Random random;
    std::ranges::generate(numbers, std::ref(random));
    std::ranges::sort(numbers);
    auto checksum = std::accumulate(numbers.begin(), numbers.end(), std::uint32_t{0},
                                    [](std::uint32_t c, std::uint32_t v) { return c * 31 + v; });
    std::string line;
    for (auto number : {numbers.front(), numbers[numbers.size() / 2], numbers.back()}) {
        line += std::to_string(number) + ' ';
    }
    return input::answer(line + std::to_string(checksum) + '\n');
}
