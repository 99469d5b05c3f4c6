/* Reads JSON (RFC 8259) from its beginning to its end, without building a tree. The first fault stays in `fault`, and
   from then on every function answers false; so it is enough to look at it once, when everything has been read. */

#ifndef JSON_H
#define JSON_H

#include "buffer.h"

#include <stdbool.h>

struct json {
    const char *at, *end;
    const char *fault;      /* what is wrong, or NULL */
    struct buffer scratch;  /* for strings that nobody asked for */
};

/* The beginning of an array ('[') or of an object ('{'). */
bool json_open(struct json *json, char bracket);

/* Whether another element or member follows; `first` is true before the first one. Takes the closing bracket. */
bool json_more(struct json *json, char bracket, bool *first);

/* The name of a member and its colon. */
bool json_name(struct json *json, struct buffer *name);

/* A string; `text` is emptied first. */
bool json_string(struct json *json, struct buffer *text);

/* A whole number from 0 to `most`, written as digits only. */
bool json_whole(struct json *json, uint64_t most, uint64_t *number);

/* Any value. */
bool json_skip(struct json *json);

/* Nothing but white space is left. */
bool json_end(struct json *json);

#endif
