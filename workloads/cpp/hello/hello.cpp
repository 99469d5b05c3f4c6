// Greets whoever NAME names.

#include "input.hpp"

#include <iostream>

int main()
{
    auto name = input::text("NAME");
    std::cout << "Hello, " << name << '!' << std::endl;
    return std::cout ? EXIT_SUCCESS : EXIT_FAILURE;
}
