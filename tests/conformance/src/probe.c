/* The suite's guest as an executable of this machine: what probe.wat does, as far as a process can be asked for it. Its name
   may be a path, and what programs around it add to the environment is not told. */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void put(int fd, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = write(fd, at, length);
        if (written <= 0) {
            _exit(91);
        }
        at += written;
        length -= (size_t)written;
    }
}

static void put_text(const char *text)
{
    uint32_t length = (uint32_t)strlen(text);
    put(1, &length, 4);
    put(1, text, length);
}

static int added(const char *variable)
{
    static const char *const names[] = {"PWD=", "PATH=", "HOME=", "HOSTNAME=", "container=", "TERM="};
    for (size_t at = 0; at < sizeof names / sizeof *names; at++) {
        if (strncmp(variable, names[at], strlen(names[at])) == 0) {
            return 1;
        }
    }
    return 0;
}

static void echo(int argc, char **argv)
{
    uint32_t count = (uint32_t)argc;
    put(1, &count, 4);
    const char *slash = strrchr(argv[0], '/');
    put_text(slash ? slash + 1 : argv[0]);
    for (int at = 1; at < argc; at++) {
        put_text(argv[at]);
    }
    count = 0;
    for (char **variable = environ; *variable; variable++) {
        count += !added(*variable);
    }
    put(1, &count, 4);
    for (char **variable = environ; *variable; variable++) {
        if (!added(*variable)) {
            put_text(*variable);
        }
    }
}

static void cat(void)
{
    static char chunk[1 << 16];
    ssize_t length;
    while ((length = read(0, chunk, sizeof chunk)) > 0) {
        put(1, chunk, (size_t)length);
    }
}

static char sequence[1 << 16];

static void put_sequence(int fd, uint64_t length)
{
    for (size_t at = 0; at < sizeof sequence; at++) {
        sequence[at] = (char)at;
    }
    while (length > 0) {
        size_t part = length < sizeof sequence ? length : sizeof sequence;
        put(fd, sequence, part);
        length -= part;
    }
}

static volatile uint32_t depth;

static uint32_t recurse(uint32_t left)
{
    volatile char frame[64];
    frame[0] = (char)left;
    if (left == 0) {
        return depth;
    }
    uint32_t below = recurse(left - 1);
    depth = below + 1;
    return depth + (uint32_t)frame[0] * 0;
}

/* Takes memory by the page of WebAssembly, and uses it, until that is refused; how many pages there were. */
static uint32_t grow(void)
{
    uint32_t pages = 0;
    for (;;) {
        char *page = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED) {
            return pages;
        }
        memset(page, 1, 65536);
        pages++;
    }
}

static void put_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    uint64_t ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    put(1, &ns, 8);
}

static volatile uint32_t state;
static volatile int zero, one = 1;

int main(int argc, char **argv)
{
    const char *action = argc > 1 ? argv[1] : "";
    uint64_t number = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    if (argc < 2) {
        return 0;
    } else if (strcmp(action, "echo") == 0) {
        echo(argc, argv);
    } else if (strcmp(action, "cat") == 0) {
        cat();
    } else if (strcmp(action, "exit") == 0) {
        return (int)number;
    } else if (strcmp(action, "write") == 0) {
        put_sequence((int)number, argc > 3 ? strtoull(argv[3], NULL, 10) : 0);
    } else if (strcmp(action, "flood") == 0) {
        put_sequence((int)number, (uint64_t)1 << 30);
    } else if (strcmp(action, "both") == 0) {
        put(1, "out\n", 4);
        put(2, "err\n", 4);
        put(1, "out\n", 4);
        put(2, "err\n", 4);
    } else if (strcmp(action, "state") == 0) {
        uint32_t found = state;
        state = 1;
        return (int)found;
    } else if (strcmp(action, "loop") == 0) {
        for (;;) {
            zero = 0;
        }
    } else if (strcmp(action, "sleep") == 0) {
        struct timespec time = {(time_t)(number / 1000), (long)(number % 1000) * 1000000};
        while (nanosleep(&time, &time) != 0 && errno == EINTR) {
        }
    } else if (strcmp(action, "recurse") == 0) {
        recurse((uint32_t)number);
    } else if (strcmp(action, "bomb") == 0) {
        grow();
        abort();
    } else if (strcmp(action, "cope") == 0) {
        uint32_t pages = grow();
        put(1, &pages, 4);
    } else if (strcmp(action, "clocks") == 0) {
        put_clock(CLOCK_REALTIME);
        put_clock(CLOCK_MONOTONIC);
        struct timespec short_time = {0, 1000};
        nanosleep(&short_time, NULL);
        put_clock(CLOCK_MONOTONIC);
    } else if (strcmp(action, "random") == 0) {
        char bytes[32];
        if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
            return 92;
        }
        put(1, bytes, sizeof bytes);
    } else if (strcmp(action, "panic") == 0) {
        put(2, "panicked at the end of the world\n", 33);
        abort();
    } else if (strcmp(action, "divide") == 0) {
        return one / zero;
    } else if (strcmp(action, "load") == 0) {
        return *(volatile char *)(uintptr_t)16;
    } else {
        return 90;
    }
    return 0;
}
