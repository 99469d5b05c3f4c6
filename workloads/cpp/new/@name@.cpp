// Counts the lines of standard input that contain WORD.

#include "input.hpp"

#include <iostream>
#include <string>

int main()
{
    auto word = input::text("WORD");
    std::size_t lines = 0;
    for (std::string line; std::getline(std::cin, line);) {
        lines += line.find(word) != line.npos;
    }
    return input::answer(std::to_string(lines) + '\n');
}
