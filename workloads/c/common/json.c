#include "json.h"

#include <string.h>

enum { DEEPEST = 128 };

static bool fail(struct json *json, const char *fault)
{
    if (json->fault == NULL) {
        json->fault = fault;
    }
    json->at = json->end;
    return false;
}

static void skip_space(struct json *json)
{
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\n' || *json->at == '\t' || *json->at == '\r')) {
        json->at++;
    }
}

/* The next character, or NUL at the end (NUL itself is nowhere allowed). */
static char peek(const struct json *json)
{
    return json->at < json->end ? *json->at : '\0';
}

static bool take(struct json *json, char c)
{
    if (peek(json) != c || json->at == json->end) {
        return false;
    }
    json->at++;
    return true;
}

bool json_open(struct json *json, char bracket)
{
    skip_space(json);
    return take(json, bracket) || fail(json, bracket == '[' ? "an array is missing" : "an object is missing");
}

bool json_more(struct json *json, char bracket, bool *first)
{
    if (json->fault != NULL) {
        return false;
    }
    skip_space(json);
    if (take(json, bracket == '[' ? ']' : '}')) {
        return false;
    }
    if (!*first && !take(json, ',')) {
        return fail(json, "a comma or a closing bracket is missing");
    }
    *first = false;
    return true;
}

bool json_name(struct json *json, struct buffer *name)
{
    if (!json_string(json, name)) {
        return false;
    }
    skip_space(json);
    return take(json, ':') || fail(json, "a colon is missing");
}

static bool hex4(struct json *json, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        char c = peek(json);
        uint32_t digit;
        if (c >= '0' && c <= '9') {
            digit = (uint32_t)(c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = (uint32_t)((c | 0x20) - 'a' + 10);
        } else {
            return fail(json, "an escape is not four hexadecimal digits");
        }
        *code = *code << 4 | digit;
        json->at++;
    }
    return true;
}

static void append_utf8(struct buffer *text, uint32_t code)
{
    if (code < 0x80) {
        buffer_byte(text, (char)code);
        return;
    }
    if (code < 0x800) {
        buffer_byte(text, (char)(0xc0 | code >> 6));
    } else {
        if (code < 0x10000) {
            buffer_byte(text, (char)(0xe0 | code >> 12));
        } else {
            buffer_byte(text, (char)(0xf0 | code >> 18));
            buffer_byte(text, (char)(0x80 | (code >> 12 & 0x3f)));
        }
        buffer_byte(text, (char)(0x80 | (code >> 6 & 0x3f)));
    }
    buffer_byte(text, (char)(0x80 | (code & 0x3f)));
}

/* \uXXXX, with the second half of a surrogate pair. */
static bool unicode_escape(struct json *json, struct buffer *text)
{
    uint32_t code, low;
    if (!hex4(json, &code)) {
        return false;
    }
    if (code >= 0xd800 && code < 0xe000) {
        if (code >= 0xdc00 || !take(json, '\\') || !take(json, 'u') || !hex4(json, &low) || low < 0xdc00 || low >= 0xe000) {
            return fail(json, "a surrogate stands alone");
        }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(text, code);
    return true;
}

static bool escape(struct json *json, struct buffer *text)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char c = peek(json);
    if (c == 'u') {
        json->at++;
        return unicode_escape(json, text);
    }
    const char *found = c == '\0' ? NULL : strchr(escapes, c);
    if (found == NULL) {
        return fail(json, "an escape is unknown");
    }
    buffer_byte(text, meanings[found - escapes]);
    json->at++;
    return true;
}

/* The length of the character beyond ASCII at `at`, or 0 if it is no UTF-8 (RFC 3629, section 4). */
static size_t utf8_len(const char *at, const char *end)
{
    const unsigned char *s = (const unsigned char *)at;
    size_t len = s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
    if (len == 0 || (size_t)(end - at) < len) {
        return 0;
    }
    unsigned char least = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char most = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    if (s[1] < least || s[1] > most) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

bool json_string(struct json *json, struct buffer *text)
{
    buffer_clear(text);
    skip_space(json);
    if (!take(json, '"')) {
        return fail(json, "a string is missing");
    }
    while (json->at < json->end) {
        const char *plain = json->at;
        while (json->at < json->end && *json->at >= ' ' && *json->at < 0x7f && *json->at != '"' && *json->at != '\\') {
            json->at++;
        }
        buffer_append(text, plain, (size_t)(json->at - plain));
        unsigned char c = (unsigned char)peek(json);
        if (take(json, '"')) {
            return true;
        }
        if (take(json, '\\')) {
            if (!escape(json, text)) {
                return false;
            }
        } else if (c < ' ') {
            return fail(json, "a control character or the end is inside a string");
        } else {
            size_t len = c == 0x7f ? 1 : utf8_len(json->at, json->end);
            if (len == 0) {
                return fail(json, "a string is not UTF-8");
            }
            buffer_append(text, json->at, len);
            json->at += len;
        }
    }
    return fail(json, "a string does not end");
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool json_whole(struct json *json, uint64_t most, uint64_t *number)
{
    skip_space(json);
    if (!is_digit(peek(json)) || (peek(json) == '0' && json->end - json->at > 1 && is_digit(json->at[1]))) {
        return fail(json, "a whole number is missing");
    }
    for (*number = 0; is_digit(peek(json)); json->at++) {
        *number = *number * 10 + (uint64_t)(*json->at - '0');
        if (*number > most) {
            return fail(json, "a number is too large");
        }
    }
    char next = peek(json);
    return (next != '.' && next != 'e' && next != 'E') || fail(json, "a number is not whole");
}

static bool digits(struct json *json)
{
    const char *first = json->at;
    while (is_digit(peek(json))) {
        json->at++;
    }
    return json->at > first;
}

static bool skip_number(struct json *json)
{
    take(json, '-');
    bool good = take(json, '0') || digits(json);
    if (good && take(json, '.')) {
        good = digits(json);
    }
    if (good && (take(json, 'e') || take(json, 'E'))) {
        if (!take(json, '+')) {
            take(json, '-');
        }
        good = digits(json);
    }
    return good || fail(json, "a value is missing");
}

static bool skip_literal(struct json *json, const char *literal)
{
    size_t len = strlen(literal);
    if ((size_t)(json->end - json->at) < len || memcmp(json->at, literal, len) != 0) {
        return fail(json, "a value is missing");
    }
    json->at += len;
    return true;
}

static bool skip(struct json *json, unsigned depth)
{
    skip_space(json);
    char c = peek(json);
    bool first = true;
    switch (c) {
    case '"':
        return json_string(json, &json->scratch);
    case 't':
        return skip_literal(json, "true");
    case 'f':
        return skip_literal(json, "false");
    case 'n':
        return skip_literal(json, "null");
    case '[':
    case '{':
        if (depth == DEEPEST) {
            return fail(json, "is nested too deeply");
        }
        json_open(json, c);
        while (json_more(json, c, &first)) {
            if ((c == '{' && !json_name(json, &json->scratch)) || !skip(json, depth + 1)) {
                return false;
            }
        }
        return json->fault == NULL;
    default:
        return skip_number(json);
    }
}

bool json_skip(struct json *json)
{
    return skip(json, 0);
}

bool json_end(struct json *json)
{
    skip_space(json);
    return json->fault == NULL && (json->at == json->end || fail(json, "something stands behind the document"));
}
