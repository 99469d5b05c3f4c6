#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>

/* While this is true the engine takes every time for 0. It begins with the time, for Math.random and performance.now; in
   a snapshot that would be the time of the build, and no two builds would give the same bytes. */
extern bool engine_stopped_clock;

#endif
