/* QuickJS-NG as one file, in the order of its own amalgamation. */

#include "engine.h"

#include <sys/time.h>
#include <time.h>

bool engine_stopped_clock = false;

static int engine_clock_gettime(clockid_t clock, struct timespec *time)
{
    *time = (struct timespec){0};
    return engine_stopped_clock ? 0 : clock_gettime(clock, time);
}

static int engine_gettimeofday(struct timeval *time, void *zone)
{
    *time = (struct timeval){0};
    return engine_stopped_clock ? 0 : gettimeofday(time, zone);
}

#define clock_gettime engine_clock_gettime
#define gettimeofday engine_gettimeofday

#include "quickjs.c"

#include "dtoa.c"

#include "libregexp.c"

#include "libunicode.c"

#include "quickjs-libc.c"
