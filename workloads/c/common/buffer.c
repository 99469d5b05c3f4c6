#include "buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

char *buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->capacity - buffer->len < more) {
        size_t capacity = buffer->capacity == 0 ? FIRST_CAPACITY : buffer->capacity;
        while (capacity - buffer->len < more) {
            capacity *= 2;
        }
        buffer->data = realloc(buffer->data, capacity);
        if (buffer->data == NULL) {
            fputs("out of memory\n", stderr);
            exit(EXIT_FAILURE);
        }
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->len;
}

void buffer_append(struct buffer *buffer, const char *bytes, size_t len)
{
    if (len > 0) {
        memcpy(buffer_reserve(buffer, len), bytes, len);
        buffer->len += len;
    }
}

void buffer_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_number(struct buffer *buffer, uint64_t number)
{
    char digits[24];
    buffer_append(buffer, digits, (size_t)snprintf(digits, sizeof digits, "%" PRIu64, number));
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}
