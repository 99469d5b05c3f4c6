/* Adds up the orders in a JSON document on standard input, per customer, and answers in JSON. */

#include "input.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 1000000 };

struct customer {
    char *name;
    size_t len;
    uint64_t orders, cents;
};

/* Ordered by name. */
struct customers {
    struct customer *list;
    size_t count, capacity;
};

static int compare(const struct customer *customer, const struct buffer *name)
{
    size_t common = customer->len < name->len ? customer->len : name->len;
    int order = common == 0 ? 0 : memcmp(customer->name, name->data, common);
    return order != 0 ? order : (customer->len > name->len) - (customer->len < name->len);
}

static struct customer *insert(struct customers *customers, size_t at, const struct buffer *name)
{
    if (customers->count == customers->capacity) {
        size_t capacity = customers->capacity == 0 ? 16 : customers->capacity * 2;
        struct customer *list = allocate(capacity, sizeof *list);
        if (customers->count > 0) {
            memcpy(list, customers->list, customers->count * sizeof *list);
        }
        free(customers->list);
        customers->list = list;
        customers->capacity = capacity;
    }
    struct customer *place = customers->list + at;
    memmove(place + 1, place, (customers->count - at) * sizeof *place);
    customers->count++;
    *place = (struct customer){.name = allocate(name->len + 1, 1), .len = name->len};
    if (name->len > 0) {
        memcpy(place->name, name->data, name->len);
    }
    return place;
}

static struct customer *customer(struct customers *customers, const struct buffer *name)
{
    size_t low = 0, high = customers->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(customers->list + middle, name);
        if (order == 0) {
            return customers->list + middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return insert(customers, low, name);
}

static void free_customers(struct customers *customers)
{
    for (size_t i = 0; i < customers->count; i++) {
        free(customers->list[i].name);
    }
    free(customers->list);
}

static bool is(const struct buffer *name, const char *expected)
{
    return name->len == strlen(expected) && memcmp(name->data, expected, name->len) == 0;
}

static bool missing(struct json *json, const char *fault)
{
    if (json->fault == NULL) {
        json->fault = fault;
    }
    return false;
}

static bool read_item(struct json *json, struct buffer *name, uint64_t *cents)
{
    bool first = true, has_quantity = false, has_price = false;
    uint64_t quantity = 0, price = 0;
    json_open(json, '{');
    while (json_more(json, '{', &first) && json_name(json, name)) {
        if (is(name, "quantity")) {
            has_quantity = json_whole(json, MOST, &quantity);
        } else if (is(name, "cents")) {
            has_price = json_whole(json, MOST, &price);
        } else {
            json_skip(json);
        }
    }
    if (!has_quantity || !has_price) {
        return missing(json, "an item has no quantity or cents");
    }
    *cents += quantity * price;
    return json->fault == NULL;
}

static bool read_items(struct json *json, struct buffer *name, uint64_t *cents)
{
    bool first = true;
    *cents = 0;
    json_open(json, '[');
    while (json_more(json, '[', &first) && read_item(json, name, cents)) {
    }
    return json->fault == NULL;
}

/* `scratch` is for the names of members and of the customer, so that not every order allocates them. */
static bool read_order(struct json *json, struct buffer scratch[2], struct customers *customers)
{
    struct buffer *name = &scratch[0], *who = &scratch[1];
    bool first = true, has_customer = false, has_items = false;
    uint64_t cents = 0;
    json_open(json, '{');
    while (json_more(json, '{', &first) && json_name(json, name)) {
        if (is(name, "customer")) {
            has_customer = json_string(json, who);
        } else if (is(name, "items")) {
            has_items = read_items(json, name, &cents);
        } else {
            json_skip(json);
        }
    }
    if (!has_customer || !has_items) {
        return missing(json, "an order has no customer or items");
    }
    struct customer *found = customer(customers, who);
    found->orders++;
    found->cents += cents;
    return json->fault == NULL;
}

static void print_string(struct buffer *out, const char *text, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    buffer_byte(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < ' ') {
            buffer_text(out, "\\u00");
            buffer_byte(out, hex[c >> 4]);
            buffer_byte(out, hex[c & 15]);
        } else {
            if (c == '"' || c == '\\') {
                buffer_byte(out, '\\');
            }
            buffer_byte(out, (char)c);
        }
    }
    buffer_byte(out, '"');
}

static void print_sums(struct buffer *out, uint64_t orders, uint64_t cents)
{
    buffer_text(out, "\"orders\":");
    buffer_number(out, orders);
    buffer_text(out, ",\"cents\":");
    buffer_number(out, cents);
    buffer_byte(out, '}');
}

static void print(struct buffer *out, const struct customers *customers)
{
    uint64_t orders = 0, cents = 0;
    buffer_text(out, "{\"customers\":[");
    for (size_t i = 0; i < customers->count; i++) {
        const struct customer *customer = customers->list + i;
        buffer_text(out, i == 0 ? "{\"customer\":" : ",{\"customer\":");
        print_string(out, customer->name, customer->len);
        buffer_byte(out, ',');
        print_sums(out, customer->orders, customer->cents);
        orders += customer->orders;
        cents += customer->cents;
    }
    buffer_text(out, "],");
    print_sums(out, orders, cents);
}

/* One iteration: all memory but that of the answer is freed at its end. */
static void summarise(struct input document, struct buffer *out)
{
    struct json json = {.at = document.data, .end = document.data + document.len};
    struct buffer scratch[2] = {0};
    struct customers customers = {0};
    bool first = true;
    json_open(&json, '[');
    while (json_more(&json, '[', &first) && read_order(&json, scratch, &customers)) {
    }
    if (!json_end(&json)) {
        refuse("standard input", json.fault);
    }
    buffer_clear(out);
    print(out, &customers);
    free_customers(&customers);
    buffer_free(&scratch[0]);
    buffer_free(&scratch[1]);
    buffer_free(&json.scratch);
}

int main(void)
{
    uint64_t iterations = input_iterations();
    struct input document = input_read();
    struct buffer out = {0};
    for (uint64_t i = 0; i < iterations; i++) {
        hide(document.data);
        summarise(document, &out);
        hide(out.data);
    }
    return answer(out.data, out.len, true);
}
