/* Makes the library of isobar.h of a program in C: its variables and its standard streams are those of a call, what ends the
   process ends the call, and memory that it does not free is freed when the call ends. For glibc, where the standard streams
   are variables. */

#undef main
#undef exit
#undef getenv
#undef malloc
#undef calloc
#undef realloc
#undef free
#define _GNU_SOURCE

#include "isobar.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

int program_main(void);

/* Before what a program allocated, in a ring. */
struct block {
    struct block *next, *previous;
};

static struct block blocks = {&blocks, &blocks};

/* The call that is answered, how much of its input was read, and where it ends. */
static const struct isobar_call *call;
static size_t taken;
static jmp_buf end;

/* By their descriptors; they are made once, so that no call pays for them. */
static FILE *streams[3];

static ssize_t read_input(void *cookie, char *bytes, size_t len)
{
    (void)cookie;
    size_t left = call->input_len - taken;
    size_t count = len < left ? len : left;
    if (count > 0) {
        memcpy(bytes, call->input + taken, count);
        taken += count;
    }
    return (ssize_t)count;
}

static ssize_t write_output(void *cookie, const char *bytes, size_t len)
{
    int stream = (FILE **)cookie == &streams[1] ? 1 : 2;
    call->write(call->host, stream, (const uint8_t *)bytes, len);
    return (ssize_t)len;
}

__attribute__((constructor)) static void open_streams(void)
{
    streams[0] = fopencookie(&streams[0], "r", (cookie_io_functions_t){.read = read_input});
    streams[1] = fopencookie(&streams[1], "w", (cookie_io_functions_t){.write = write_output});
    streams[2] = fopencookie(&streams[2], "w", (cookie_io_functions_t){.write = write_output});
    if (streams[0] == NULL || streams[1] == NULL || streams[2] == NULL) {
        abort();
    }
}

_Noreturn void program_exit(int code)
{
    /* Zero would look like the first return of setjmp. */
    longjmp(end, (code & 0xff) + 1);
}

char *program_getenv(const char *name)
{
    size_t len = strlen(name);
    for (const char *const *at = call->env; *at != NULL; at++) {
        if (strncmp(*at, name, len) == 0 && (*at)[len] == '=') {
            return (char *)*at + len + 1;
        }
    }
    return NULL;
}

static void *keep(struct block *block)
{
    if (block == NULL) {
        return NULL;
    }
    block->next = &blocks;
    block->previous = blocks.previous;
    blocks.previous->next = block;
    blocks.previous = block;
    return block + 1;
}

static void forget(struct block *block)
{
    block->previous->next = block->next;
    block->next->previous = block->previous;
}

void *program_malloc(size_t size)
{
    return size > SIZE_MAX - sizeof(struct block) ? NULL : keep(malloc(sizeof(struct block) + size));
}

void *program_calloc(size_t count, size_t size)
{
    if (size > 0 && count > (SIZE_MAX - sizeof(struct block)) / size) {
        return NULL;
    }
    return keep(calloc(1, sizeof(struct block) + count * size));
}

void program_free(void *memory)
{
    if (memory != NULL) {
        struct block *block = (struct block *)memory - 1;
        forget(block);
        free(block);
    }
}

void *program_realloc(void *memory, size_t size)
{
    if (memory == NULL || size > SIZE_MAX - sizeof(struct block)) {
        return memory == NULL ? program_malloc(size) : NULL;
    }
    struct block *block = (struct block *)memory - 1;
    forget(block);
    struct block *moved = realloc(block, sizeof(struct block) + size);
    if (moved == NULL) {
        keep(block);
        return NULL;
    }
    return keep(moved);
}

static int run(void)
{
    int ended = _setjmp(end);
    return ended == 0 ? program_main() & 0xff : ended - 1;
}

__attribute__((visibility("default"))) int32_t isobar_call_v1(const struct isobar_call *given)
{
    FILE *before[3] = {stdin, stdout, stderr};
    call = given;
    taken = 0;
    stdin = streams[0];
    stdout = streams[1];
    stderr = streams[2];
    int code = run();
    fflush(stdout);
    fflush(stderr);
    /* What one call did not read is none of the next one's. */
    __fpurge(stdin);
    clearerr(stdin);
    while (blocks.next != &blocks) {
        program_free(blocks.next + 1);
    }
    stdin = before[0];
    stdout = before[1];
    stderr = before[2];
    call = NULL;
    return code;
}
