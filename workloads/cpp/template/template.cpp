// An HTML page with TITLE and a table of ROWS rows.

#include "input.hpp"

#include <format>
#include <iterator>

namespace {

struct Page {
    std::string_view title;
    unsigned rows;
};

std::string escaped(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&#39;"; break;
        default: out += c;
        }
    }
    return out;
}

std::string price(std::uint64_t cents)
{
    return std::format("{}.{:02}", cents / 100, cents % 100);
}

std::string render(const Page &page)
{
    std::string html;
    auto out = std::back_inserter(html);
    std::format_to(out, "<!DOCTYPE html>\n<html>\n<head><title>{}</title></head>\n", escaped(page.title));
    std::format_to(out, "<body>\n<h1>{}</h1>\n<table>\n", escaped(page.title));
    std::uint64_t total = 0;
    for (std::uint64_t row = 1; row <= page.rows; row++) {
        auto cents = row * row * 7919 % 10000;
        total += cents;
        std::format_to(out, "<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n", row, escaped(page.title), price(cents));
    }
    std::format_to(out, "</table>\n<p>{} rows, {} in total</p>\n</body>\n</html>\n", page.rows, price(total));
    return html;
}

} // namespace

int main()
{
    Page page{input::text("TITLE"), input::number<unsigned>("ROWS", 0, 100'000)};
    return input::answer(input::repeat(input::iterations(), page, render));
}
