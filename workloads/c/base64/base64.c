/* Encodes standard input as Base64 (RFC 4648, section 4), or decodes it. */

#include "buffer.h"
#include "input.h"

#include <stdbool.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { OUTSIDE = 64 };

/* The value of each character, or OUTSIDE. */
static unsigned char values[256];

static void encode(struct input bytes, struct buffer *out)
{
    const unsigned char *in = (const unsigned char *)bytes.data;
    size_t left = bytes.len;
    char *to = buffer_reserve(out, (bytes.len + 2) / 3 * 4);
    for (; left >= 3; left -= 3, in += 3, to += 4) {
        to[0] = alphabet[in[0] >> 2];
        to[1] = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
        to[2] = alphabet[(in[1] & 15) << 2 | in[2] >> 6];
        to[3] = alphabet[in[2] & 63];
    }
    if (left > 0) {
        unsigned second = left == 2 ? in[1] : 0;
        to[0] = alphabet[in[0] >> 2];
        to[1] = alphabet[(in[0] & 3) << 4 | second >> 4];
        to[2] = left == 2 ? alphabet[(second & 15) << 2] : '=';
        to[3] = '=';
    }
    out->len += (bytes.len + 2) / 3 * 4;
}

static _Noreturn void refuse_input(const char *what)
{
    refuse("standard input", what);
}

/* The last four characters, where the padding may be. */
static void decode_end(const unsigned char *in, struct buffer *out)
{
    size_t padding = in[3] != '=' ? 0 : in[2] != '=' ? 1 : 2;
    unsigned value[4] = {0};
    for (size_t i = 0; i < 4 - padding; i++) {
        value[i] = values[in[i]];
        if (value[i] == OUTSIDE) {
            refuse_input("a character is outside of the alphabet, or padding is not at the end");
        }
    }
    if ((padding == 1 && (value[2] & 3) != 0) || (padding == 2 && (value[1] & 15) != 0)) {
        refuse_input("the bits behind the last byte are not zero");
    }
    unsigned bits = value[0] << 18 | value[1] << 12 | value[2] << 6 | value[3];
    const char bytes[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
    buffer_append(out, bytes, 3 - padding);
}

static void decode(struct input text, struct buffer *out)
{
    const unsigned char *in = (const unsigned char *)text.data;
    size_t len = text.len;
    if (len > 0 && in[len - 1] == '\n') {
        len--;
    }
    if (len % 4 != 0) {
        refuse_input("its length is no multiple of four");
    }
    if (len == 0) {
        return;
    }
    char *to = buffer_reserve(out, len / 4 * 3);
    unsigned outside = 0;
    for (const unsigned char *last = in + len - 4; in < last; in += 4, to += 3) {
        unsigned a = values[in[0]], b = values[in[1]], c = values[in[2]], d = values[in[3]];
        outside |= a | b | c | d;
        to[0] = (char)(a << 2 | b >> 4);
        to[1] = (char)(b << 4 | c >> 2);
        to[2] = (char)(c << 6 | d);
    }
    if (outside & OUTSIDE) {
        refuse_input("a character is outside of the alphabet, or padding is not at the end");
    }
    out->len += (len / 4 - 1) * 3;
    decode_end(in, out);
}

int main(void)
{
    const char *mode = input_text("MODE");
    bool encodes = strcmp(mode, "encode") == 0;
    if (!encodes && strcmp(mode, "decode") != 0) {
        refuse("MODE", "is neither encode nor decode");
    }
    uint64_t iterations = input_iterations();
    struct input bytes = input_read();
    memset(values, OUTSIDE, sizeof values);
    for (unsigned char i = 0; i < OUTSIDE; i++) {
        values[(unsigned char)alphabet[i]] = i;
    }
    struct buffer out = {0};
    for (uint64_t i = 0; i < iterations; i++) {
        hide(bytes.data);
        buffer_clear(&out);
        if (encodes) {
            encode(bytes, &out);
        } else {
            decode(bytes, &out);
        }
        hide(out.data);
    }
    return answer(out.data, out.len, encodes);
}
