// What the C++ functions share: a strict reading of the environment, one way to refuse it, and one to answer.

#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

namespace input {

constexpr int refused = 2;

// Ends the program with exit code 2 and one line on standard error.
[[noreturn]] inline void refuse(const char *variable, const std::string &what)
{
    std::fprintf(stderr, "%s: %s\n", variable, what.c_str());
    std::exit(refused);
}

// A newline in the value must not make a second line.
inline std::string quoted(std::string_view value)
{
    constexpr std::string_view hex = "0123456789abcdef";
    std::string text = "\"";
    for (unsigned char c : value) {
        if (c < ' ' || c == '"' || c == '\\' || c == 0x7f) {
            text += {'\\', 'x', hex[c >> 4], hex[c & 15]};
        } else {
            text += static_cast<char>(c);
        }
    }
    return text + '"';
}

// A variable that must be there, possibly empty.
inline std::string_view text(const char *variable)
{
    const char *value = std::getenv(variable);
    if (value == nullptr) {
        refuse(variable, "is not set");
    }
    return value;
}

// A variable that must be a whole number from `least` to `most`, in digits only.
template <typename Number> Number number(const char *variable, Number least, Number most)
{
    static_assert(std::numeric_limits<Number>::is_integer && !std::numeric_limits<Number>::is_signed);
    std::string_view value = text(variable);
    const char *end = value.data() + value.size();
    Number number{};
    auto [stopped, error] = std::from_chars(value.data(), end, number);
    if (error != std::errc{} || stopped != end || number < least || number > most) {
        auto range = std::to_string(least) + " to " + std::to_string(most);
        refuse(variable, quoted(value) + " is not a whole number from " + range);
    }
    return number;
}

// How many times the work is to be done: the variable ITERATIONS, or once.
inline std::uint64_t iterations()
{
    constexpr auto variable = "ITERATIONS";
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    return std::getenv(variable) == nullptr ? 1 : number<std::uint64_t>(variable, 1, most);
}

// Does the work this many times, anew each time, on an input that the compiler cannot see through.
template <typename Input, typename Work> auto repeat(std::uint64_t iterations, Input input, Work work)
{
    auto hide = [](auto &value) { asm volatile("" : : "r"(&value) : "memory"); };
    hide(input);
    auto answer = work(input);
    while (--iterations > 0) {
        hide(input);
        answer = work(input);
        hide(answer);
    }
    return answer;
}

// Prints the answer, and gives the exit code of the program. Not by iostream: it would be 200 kB of every module.
inline int answer(std::string_view text)
{
    bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    return written ? EXIT_SUCCESS : EXIT_FAILURE;
}

// Marsaglia's 32-bit xorshift, a uniform random bit generator.
class Random {
public:
    using result_type = std::uint32_t;

    // Begins with the variable SEED.
    Random() : state(number<result_type>("SEED", 1, max())) {}

    static constexpr result_type min() { return 1; }
    static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

    // The next number, which is the next state.
    result_type operator()()
    {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        return state;
    }

private:
    result_type state;
};

} // namespace input
