// An HTML page with TITLE and a table of ROWS rows.

#include "input.hpp"

namespace {

struct Page {
    std::string_view title;
    unsigned rows;
};

void escape(std::string &html, std::string_view text)
{
    for (char c : text) {
        switch (c) {
        case '&': html += "&amp;"; break;
        case '<': html += "&lt;"; break;
        case '>': html += "&gt;"; break;
        case '"': html += "&quot;"; break;
        case '\'': html += "&#39;"; break;
        default: html += c;
        }
    }
}

std::string price(std::uint64_t cents)
{
    auto digits = std::to_string(100 + cents % 100);
    return std::to_string(cents / 100) + '.' + digits.substr(1);
}

std::string render(const Page &page)
{
    std::string html = "<!DOCTYPE html>\n<html>\n<head><title>";
    escape(html, page.title);
    html += "</title></head>\n<body>\n<h1>";
    escape(html, page.title);
    html += "</h1>\n<table>\n";
    std::uint64_t total = 0;
    for (std::uint64_t row = 1; row <= page.rows; row++) {
        auto cents = row * row * 7919 % 10000;
        total += cents;
        html += "<tr><td>" + std::to_string(row) + "</td><td>";
        escape(html, page.title);
        html += "</td><td>" + price(cents) + "</td></tr>\n";
    }
    html += "</table>\n<p>" + std::to_string(page.rows) + " rows, " + price(total) + " in total</p>\n";
    return html + "</body>\n</html>\n";
}

} // namespace

int main()
{
    Page page{input::text("TITLE"), input::number<unsigned>("ROWS", 0, 100'000)};
    return input::answer(input::repeat(input::iterations(), page, render));
}
