#include "input.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REFUSED = 2, READ_SIZE = 1 << 16 };

_Noreturn void refuse(const char *variable, const char *what)
{
    fprintf(stderr, "%s: %s\n", variable, what);
    exit(REFUSED);
}

_Noreturn static void out_of_memory(void)
{
    fputs("out of memory\n", stderr);
    exit(EXIT_FAILURE);
}

/* A newline in the value must not make a second line. */
static void print_quoted(const char *text)
{
    fputc('"', stderr);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        fprintf(stderr, c < ' ' || c == 0x7f ? "\\x%02x" : c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    fputc('"', stderr);
}

const char *input_text(const char *variable)
{
    const char *text = getenv(variable);
    if (text == NULL) {
        refuse(variable, "is not set");
    }
    return text;
}

static bool parse(const char *text, uint64_t *number)
{
    uint64_t n = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        unsigned digit = (unsigned)(*text - '0');
        if (n > (UINT64_MAX - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    *number = n;
    return true;
}

uint64_t input_number(const char *variable, uint64_t least, uint64_t most)
{
    const char *text = input_text(variable);
    uint64_t number;
    if (!parse(text, &number) || number < least || number > most) {
        fprintf(stderr, "%s: ", variable);
        print_quoted(text);
        fprintf(stderr, " is not a whole number from %" PRIu64 " to %" PRIu64 "\n", least, most);
        exit(REFUSED);
    }
    return number;
}

uint64_t input_iterations(void)
{
    return getenv("ITERATIONS") == NULL ? 1 : input_number("ITERATIONS", 1, UINT64_MAX);
}

struct input input_read(void)
{
    size_t len = 0, capacity = READ_SIZE, got;
    char *data = allocate(capacity, 1);
    while ((got = fread(data + len, 1, capacity - len, stdin)) > 0) {
        len += got;
        if (len == capacity) {
            capacity *= 2;
            data = realloc(data, capacity);
            if (data == NULL) {
                out_of_memory();
            }
        }
    }
    if (ferror(stdin)) {
        fputs("standard input cannot be read\n", stderr);
        exit(EXIT_FAILURE);
    }
    return (struct input){data, len};
}

int answer(const char *text, size_t len, int newline)
{
    bool written = fwrite(text, 1, len, stdout) == len && (!newline || fputc('\n', stdout) != EOF);
    return written && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        out_of_memory();
    }
    return memory;
}
