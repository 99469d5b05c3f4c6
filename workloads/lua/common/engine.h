#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>

/* While this is true Lua takes every time for 0, and the environment for empty. It seeds its random numbers with the
   time and looks for its path in the environment; a snapshot would keep those of the build. */
extern bool engine_apart;

#endif
