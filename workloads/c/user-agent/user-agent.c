/* Counts browsers and their versions in the User-Agent lines on standard input. */

#define _GNU_SOURCE /* memmem */

#include "buffer.h"
#include "input.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIGITS = 9 };

struct rule {
    const char *token, *name, *also;
};

/* The first one that occurs counts. */
static const struct rule rules[] = {
    {"Googlebot/", "Googlebot", NULL},
    {"bingbot/", "bingbot", NULL},
    {"Edg/", "Edge", NULL},
    {"OPR/", "Opera", NULL},
    {"SamsungBrowser/", "Samsung Internet", NULL},
    {"Firefox/", "Firefox", NULL},
    {"FxiOS/", "Firefox", NULL},
    {"CriOS/", "Chrome", NULL},
    {"Chrome/", "Chrome", NULL},
    {"Version/", "Safari", "Safari/"},
    {"curl/", "curl", NULL},
};

struct visit {
    const char *name;
    uint32_t version;
};

struct visits {
    struct visit *list;
    size_t count, capacity;
};

static const char *find(const char *line, size_t len, const char *token)
{
    return memmem(line, len, token, strlen(token));
}

static struct visit classify(const char *line, size_t len)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const char *found = find(line, len, rules[i].token);
        if (found != NULL && (rules[i].also == NULL || find(line, len, rules[i].also) != NULL)) {
            uint32_t version = 0;
            const char *at = found + strlen(rules[i].token), *end = line + len;
            for (int digits = 0; at < end && *at >= '0' && *at <= '9' && digits < MOST_DIGITS; at++, digits++) {
                version = version * 10 + (uint32_t)(*at - '0');
            }
            return (struct visit){rules[i].name, version};
        }
    }
    return (struct visit){"other", 0};
}

static void add(struct visits *visits, struct visit visit)
{
    if (visits->count == visits->capacity) {
        visits->capacity = visits->capacity == 0 ? 256 : visits->capacity * 2;
        visits->list = realloc(visits->list, visits->capacity * sizeof visit);
        if (visits->list == NULL) {
            abort();
        }
    }
    visits->list[visits->count++] = visit;
}

static int compare(const void *left, const void *right)
{
    const struct visit *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : (a->version > b->version) - (a->version < b->version);
}

/* One iteration: `visits` and `out` keep their memory for the next one. */
static void count(struct input lines, struct visits *visits, struct buffer *out)
{
    visits->count = 0;
    buffer_clear(out);
    const char *line = lines.data, *end = lines.data + lines.len;
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t len = (size_t)((newline == NULL ? end : newline) - line);
        if (len > 0) {
            add(visits, classify(line, len));
        }
        line += len + 1;
    }
    if (visits->count > 0) {
        qsort(visits->list, visits->count, sizeof *visits->list, compare);
    }
    for (size_t i = 0, next; i < visits->count; i = next) {
        const struct visit *visit = visits->list + i;
        for (next = i + 1; next < visits->count && compare(visit, visits->list + next) == 0; next++) {
        }
        buffer_text(out, visit->name);
        buffer_byte(out, ' ');
        buffer_number(out, visit->version);
        buffer_byte(out, ' ');
        buffer_number(out, next - i);
        buffer_byte(out, '\n');
    }
}

int main(void)
{
    uint64_t iterations = input_iterations();
    struct input lines = input_read();
    struct visits visits = {0};
    struct buffer out = {0};
    for (uint64_t i = 0; i < iterations; i++) {
        hide(lines.data);
        count(lines, &visits, &out);
        hide(out.data);
    }
    return answer(out.data, out.len, false);
}
