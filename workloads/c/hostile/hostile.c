/* Tries what a function must not do: the one thing that ATTEMPT names. Nothing here goes on for ever, even where nobody
   stops it. */

#define _GNU_SOURCE

#include "input.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __wasi__
#include <wasi/api.h>

/* wasi-libc does not declare it. */
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise"))) int proc_raise(int signal);
#else
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#endif

#define CANARY "ISOBAR_CANARY"

enum {
    MIB = 1 << 20,
    PAGE = 4096,
    MOST_SECONDS = 20,
    MOST_CHILDREN = 8,
    MOST_CALLS = 10000000,
    MOST_MIB = 65536,
    PATH_SIZE = 4096,
    TOKEN_DIGITS = 32,
};

/* One line: what was got, or what stood in the way. */
static int say(bool allowed, const char *what, const char *more)
{
    char line[8192];
    int len = snprintf(line, sizeof line, "%s: %s%s", allowed ? "allowed" : "denied", what, more);
    len = len < (int)sizeof line ? len : (int)sizeof line - 1;
    for (int at = 0; at < len; at++) {
        line[at] = (unsigned char)line[at] < ' ' ? ' ' : line[at];
    }
    return answer(line, (size_t)len, true);
}

static int refused(const char *what)
{
    return say(false, what, strerror(errno));
}

/* The host's environment: in its own, then in that of the process that started it. */
static int environment(void)
{
    const char *own = getenv(CANARY);
    if (own != NULL) {
        return say(true, CANARY " in its own environment: ", own);
    }
#ifdef __wasi__
    const char *path = "/proc/self/environ";
#else
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/environ", (long)getppid());
#endif
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return refused("not among its own variables; that of the process which started it: ");
    }
    static char bytes[1 << 20];
    size_t len = fread(bytes, 1, sizeof bytes - 1, file);
    for (size_t at = 0; at < len; at += strlen(bytes + at) + 1) {
        if (strncmp(bytes + at, CANARY "=", sizeof CANARY) == 0) {
            return say(true, "in that of the process which started it: ", bytes + at);
        }
    }
    return say(false, "neither among its own variables nor in those of the process which started it", "");
}

#ifdef __wasi__
/* Past the library, which refuses much by itself: from every descriptor that may be a folder. */
static bool open_raw(const char *path, __wasi_rights_t rights, __wasi_oflags_t options, int *fd, char *refusals, size_t size)
{
    char above[PATH_SIZE + 32];
    bool seen[256] = {false};
    snprintf(above, sizeof above, "../../../../../..%s", path);
    const char *paths[] = {path, path + 1, above};
    for (int folder = 0; folder < 8; folder++) {
        for (int way = 0; way < 3; way++) {
            __wasi_fd_t opened;
            __wasi_errno_t error = __wasi_path_open(folder, 0, paths[way], options, rights, rights, 0, &opened);
            if (error == 0) {
                *fd = (int)opened;
                return true;
            }
            seen[error & 255] = true;
        }
    }
    size_t len = (size_t)snprintf(refusals, size, "%s; path_open from descriptors 0 to 7: errno", strerror(errno));
    for (int error = 0; error < 256 && len < size; error++) {
        if (seen[error]) {
            len += (size_t)snprintf(refusals + len, size - len, " %d", error);
        }
    }
    return false;
}
#endif

/* A file that can be read, or NULL and why. */
static FILE *open_file(const char *path, bool to_write, char *refusals, size_t size)
{
    FILE *file = fopen(path, to_write ? "wb" : "rb");
    if (file != NULL) {
        return file;
    }
#ifdef __wasi__
    int fd;
    __wasi_rights_t rights = to_write ? __WASI_RIGHTS_FD_WRITE : __WASI_RIGHTS_FD_READ;
    if (!open_raw(path, rights, to_write ? __WASI_OFLAGS_CREAT : 0, &fd, refusals, size)) {
        return NULL;
    }
    file = fdopen(fd, to_write ? "wb" : "rb");
    if (file != NULL) {
        return file;
    }
#endif
    snprintf(refusals, size, "%s", strerror(errno));
    return NULL;
}

/* Only how long it is: what stands in it is nobody's business. */
static int passwd(void)
{
    char text[512];
    FILE *file = open_file("/etc/passwd", false, text, sizeof text);
    if (file == NULL) {
        return say(false, text, "");
    }
    size_t bytes = 0, lines = 0;
    for (int c; (c = fgetc(file)) != EOF; bytes++) {
        lines += c == '\n';
    }
    snprintf(text, sizeof text, "read %zu bytes in %zu lines", bytes, lines);
    return say(true, text, "");
}

static int read_file(const char *path)
{
    char text[512];
    FILE *file = open_file(path, false, text, sizeof text);
    if (file == NULL) {
        return say(false, text, "");
    }
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    return say(true, "read ", text);
}

static int list_folder(const char *path)
{
    char names[4096] = "";
    DIR *folder = opendir(path);
    if (folder == NULL) {
#ifdef __wasi__
        int fd;
        __wasi_size_t used = 0;
        __wasi_rights_t rights = __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_READDIR;
        if (!open_raw(path, rights, __WASI_OFLAGS_DIRECTORY, &fd, names, sizeof names)) {
            return say(false, names, "");
        }
        if (__wasi_fd_readdir(fd, (uint8_t *)names, sizeof names - 1, 0, &used) == 0) {
            for (size_t at = 0; at < used; at++) {
                names[at] = names[at] == '\0' ? ' ' : names[at];
            }
            return say(true, "listed ", names);
        }
#endif
        return refused("");
    }
    size_t len = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL && len < sizeof names;) {
        len += (size_t)snprintf(names + len, sizeof names - len, "%s ", entry->d_name);
    }
    return say(true, "listed ", names);
}

static int write_file(const char *folder, const char *token)
{
    char path[PATH_SIZE], text[512];
    snprintf(path, sizeof path, "%s/written", folder);
    FILE *file = open_file(path, true, text, sizeof text);
    if (file == NULL) {
        return say(false, text, "");
    }
    return fputs(token, file) >= 0 && fclose(file) == 0 ? say(true, "wrote a file", "") : refused("opened a file: ");
}

static int connect_to(const char *address, const char *token)
{
#ifdef __wasi__
    (void)address;
    (void)token;
    return say(false, "there is no call that connects", "");
#else
    char host[64] = "";
    const char *colon = strrchr(address, ':');
    if (colon != NULL && colon - address < (ptrdiff_t)sizeof host) {
        memcpy(host, address, (size_t)(colon - address));
    }
    struct sockaddr_in to = {.sin_family = AF_INET};
    if (colon == NULL || inet_pton(AF_INET, host, &to.sin_addr) != 1) {
        return say(false, "the address is none", "");
    }
    to.sin_port = htons((uint16_t)atoi(colon + 1));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) {
        return refused("socket: ");
    }
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        return refused("connect: ");
    }
    size_t len = strlen(token);
    return send(fd, token, len, 0) == (ssize_t)len ? say(true, "connected and sent", "") : refused("connected; send: ");
#endif
}

/* What is left begins with this, masked: whoever looks for it must not find its own wish. */
static const unsigned char prefix[14] = {
    'i' ^ 0xa5, 's' ^ 0xa5, 'o' ^ 0xa5, 'b' ^ 0xa5, 'a' ^ 0xa5, 'r' ^ 0xa5, '-' ^ 0xa5,
    'm' ^ 0xa5, 'a' ^ 0xa5, 'r' ^ 0xa5, 'k' ^ 0xa5, 'e' ^ 0xa5, 'r' ^ 0xa5, ':' ^ 0xa5,
};
static volatile unsigned char mask = 0xa5;
static char kept[sizeof prefix + TOKEN_DIGITS + 1];

/* In a static, and all over the heap. */
static int leave(const char *token)
{
    for (size_t at = 0; at < sizeof prefix; at++) {
        kept[at] = (char)(prefix[at] ^ mask);
    }
    strncpy(kept + sizeof prefix, token, TOKEN_DIGITS);
    char *heap = malloc(1000 * sizeof kept);
    for (size_t copy = 0; heap != NULL && copy < 1000; copy++) {
        memcpy(heap + copy * sizeof kept, kept, sizeof kept);
    }
    hide(heap);
    hide(kept);
    return answer("left", 4, true);
}

/* Whether a marker begins there; if so, its token. */
static bool marker_at(const volatile unsigned char *start, char *token)
{
    for (size_t at = 0; at < sizeof prefix; at++) {
        if ((start[at] ^ mask) != prefix[at]) {
            return false;
        }
    }
    for (size_t at = 0; at < TOKEN_DIGITS; at++) {
        unsigned char digit = start[sizeof prefix + at];
        if (!((digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'))) {
            return false;
        }
        token[at] = (char)digit;
    }
    token[TOKEN_DIGITS] = '\0';
    return true;
}

static int look(void)
{
    char token[TOKEN_DIGITS + 1], text[128];
    hide(kept);
    if (marker_at((unsigned char *)kept, token)) {
        return say(true, "found in a static variable: ", token);
    }
#ifdef __wasi__
    /* All of the linear memory, with a mebibyte that it did not have before. */
    __builtin_wasm_memory_grow(0, 16);
    const volatile unsigned char *start = (unsigned char *)16;
    size_t len = __builtin_wasm_memory_size(0) * 65536 - 16;
#else
    /* Memory that the system gives and nobody has written to. */
    size_t len = 8 * MIB;
    const volatile unsigned char *start = malloc(len);
    len = start == NULL ? 0 : len;
#endif
    hide((const void *)start);
    for (size_t at = 0; at + sizeof kept <= len; at++) {
        if (marker_at(start + at, token)) {
            return say(true, "found in memory: ", token);
        }
    }
    snprintf(text, sizeof text, "nothing of another invocation's in a static variable nor in %zu KiB of memory", len >> 10);
    return say(false, text, "");
}

static int memory(uint64_t most_mib)
{
    char text[64];
    for (uint64_t taken = 0; taken < most_mib; taken++) {
        volatile char *block = malloc(MIB);
        if (block == NULL) {
            snprintf(text, sizeof text, "refused after %" PRIu64 " MiB", taken);
            return say(false, text, "");
        }
        for (size_t at = 0; at < MIB; at += PAGE) {
            block[at] = 1;
        }
    }
    snprintf(text, sizeof text, "took %" PRIu64 " MiB", most_mib);
    return say(true, text, "");
}

/* Nothing can be said where everything is full: how much came through tells. */
static int output(uint64_t most_mib)
{
    static char chunk[1 << 16];
    memset(chunk, 'x', sizeof chunk);
    for (uint64_t written = 0; written < most_mib * MIB; written += sizeof chunk) {
        if (fwrite(chunk, 1, sizeof chunk, stdout) != sizeof chunk) {
            perror("refused");
            return EXIT_FAILURE;
        }
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int spin(void)
{
    for (double since = seconds(); seconds() - since < MOST_SECONDS;) {
        for (volatile uint32_t turn = 0; turn < 1 << 22; turn++) {
        }
    }
    return say(true, "ran for 20 s and was not stopped", "");
}

/* Children that sleep and end; each is waited for. Not more, even where more were allowed. */
static int spawn(void)
{
#ifdef __wasi__
    return say(false, "there is no call that starts a process", "");
#else
    pid_t children[MOST_CHILDREN];
    int count = 0, error = 0;
    for (; count < MOST_CHILDREN; count++) {
        children[count] = fork();
        if (children[count] == 0) {
            usleep(100000);
            _exit(0);
        }
        if (children[count] < 0) {
            error = errno;
            break;
        }
    }
    for (int at = 0; at < count; at++) {
        waitpid(children[at], NULL, 0);
    }
    char text[64];
    snprintf(text, sizeof text, "started %d processes", count);
    errno = error;
    return count == MOST_CHILDREN ? say(true, text, " and was not stopped") : refused("fork: ");
#endif
}

__attribute__((noinline)) static uint64_t call(uint64_t depth)
{
    volatile uint64_t next = depth + 1;
    hide((const void *)&next);
    return next >= MOST_CALLS ? next : call(next) + next - depth - 1;
}

static int stack(void)
{
    return call(0) >= MOST_CALLS ? say(true, "called itself 10,000,000 times", "") : say(false, "came back", "");
}

/* Far from everything that it has: in a module beyond its memory, in a process where no address leads. */
static int crash(void)
{
    volatile uintptr_t address = UINTPTR_MAX / 2 - 7;
    volatile uint64_t *far = (volatile uint64_t *)address;
    *far = *far ^ 1;
    return say(true, "read and wrote far outside of its memory", "");
}

/* Asks for permission only: nothing is sent. In a module there is only a call for its own process, which is the host's. */
static int signal_host(void)
{
#ifdef __wasi__
    enum { TERM = 15 };
    int error = proc_raise(TERM);
    char text[96];
    snprintf(text, sizeof text, "proc_raise: errno %d; there is no call for another process", error);
    /* It was raised where the function is, or nowhere: it would not get here if its host had ended. */
    return say(false, error == 0 ? "proc_raise(SIGTERM) was accepted, and the host went on" : text, "");
#else
    pid_t parent = getppid();
    if (parent <= 0) {
        return say(false, "the process that started it cannot be seen", "");
    }
    return kill(parent, 0) == 0 ? say(true, "may send signals to the process that started it", "") : refused("");
#endif
}

int main(void)
{
    const char *attempt = input_text("ATTEMPT");
#define IS(name) (strcmp(attempt, name) == 0)
    if (IS("none")) return answer("harmless", 8, true);
    if (IS("environment")) return environment();
    if (IS("passwd")) return passwd();
    if (IS("file")) return read_file(input_text("FILE"));
    if (IS("folder")) return list_folder(input_text("FOLDER"));
    if (IS("write")) return write_file(input_text("FOLDER"), input_text("TOKEN"));
    if (IS("connect")) return connect_to(input_text("ADDRESS"), input_text("TOKEN"));
    if (IS("leave")) return leave(input_text("TOKEN"));
    if (IS("look")) return look();
    if (IS("memory")) return memory(input_number("MOST_MIB", 1, MOST_MIB));
    if (IS("output")) return output(input_number("MOST_MIB", 1, MOST_MIB));
    if (IS("spin")) return spin();
    if (IS("spawn")) return spawn();
    if (IS("stack")) return stack();
    if (IS("crash")) return crash();
    if (IS("signal")) return signal_host();
    refuse("ATTEMPT", "there is no such attempt");
}
