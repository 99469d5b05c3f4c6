/* An HTML page with TITLE and a table of ROWS rows. */

#include "buffer.h"
#include "input.h"

#include <stdio.h>

static void escaped(struct buffer *page, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            buffer_text(page, "&amp;");
            break;
        case '<':
            buffer_text(page, "&lt;");
            break;
        case '>':
            buffer_text(page, "&gt;");
            break;
        case '"':
            buffer_text(page, "&quot;");
            break;
        case '\'':
            buffer_text(page, "&#39;");
            break;
        default:
            buffer_byte(page, *text);
        }
    }
}

static void price(struct buffer *page, uint64_t cents)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%llu.%02u", (unsigned long long)(cents / 100), (unsigned)(cents % 100));
    buffer_append(page, text, (size_t)len);
}

static void render(struct buffer *page, const char *title, uint64_t rows)
{
    uint64_t total = 0;
    buffer_clear(page);
    buffer_text(page, "<!DOCTYPE html>\n<html>\n<head><title>");
    escaped(page, title);
    buffer_text(page, "</title></head>\n<body>\n<h1>");
    escaped(page, title);
    buffer_text(page, "</h1>\n<table>\n");
    for (uint64_t row = 1; row <= rows; row++) {
        uint64_t cents = row * row * 7919 % 10000;
        total += cents;
        buffer_text(page, "<tr><td>");
        buffer_number(page, row);
        buffer_text(page, "</td><td>");
        escaped(page, title);
        buffer_text(page, "</td><td>");
        price(page, cents);
        buffer_text(page, "</td></tr>\n");
    }
    buffer_text(page, "</table>\n<p>");
    buffer_number(page, rows);
    buffer_text(page, " rows, ");
    price(page, total);
    buffer_text(page, " in total</p>\n</body>\n</html>\n");
}

int main(void)
{
    const char *title = input_text("TITLE");
    uint64_t rows = input_number("ROWS", 0, 100000);
    uint64_t iterations = input_iterations();
    struct buffer page = {0};
    for (uint64_t i = 0; i < iterations; i++) {
        hide(title);
        render(&page, title, rows);
        hide(page.data);
    }
    return answer(page.data, page.len, 0);
}
