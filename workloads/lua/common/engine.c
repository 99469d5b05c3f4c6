/* Lua as one file. An error ends the program with its message, so pcall never sees one, and coroutines cannot yield. */

#define LUA_CORE
#define LUA_LIB

#include "engine.h"

#include "lprefix.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lua.h"

bool engine_apart = false;

static time_t engine_time(time_t *at)
{
    return engine_apart ? 0 : time(at);
}

static char *engine_getenv(const char *name)
{
    return engine_apart ? NULL : getenv(name);
}

static _Noreturn void engine_error(lua_State *L)
{
    const char *message = lua_tostring(L, -1);
    fprintf(stderr, "%s\n", message == NULL ? "an error without a message" : message);
    exit(EXIT_FAILURE);
}

#define time engine_time
#define getenv engine_getenv
#define luai_makeseed(L) ((unsigned int)time(NULL))
#define l_signalT int
#define l_randomizePivot() (~0u)
#define luai_jmpbuf int
#define LUAI_TRY(L, c, a) { a }
#define LUAI_THROW(L, c) engine_error(L)

/* There are no processes and no temporary names in WASI. */
#define lua_tmpnam(b, e) { (void)(b); e = 1; }
#define LUA_TMPNAMBUFSIZE 1
#define system(command) ((void)(command), -1)
#define tmpfile() NULL

#include "lzio.c"
#include "lctype.c"
#include "lopcodes.c"
#include "lmem.c"
#include "lundump.c"
#include "ldump.c"
#include "lstate.c"
#include "lgc.c"
#include "llex.c"
#include "lcode.c"
#include "lparser.c"
#include "ldebug.c"
#include "lfunc.c"
#include "lobject.c"
#include "ltm.c"
#include "lstring.c"
#include "ltable.c"
#include "ldo.c"
#include "lvm.c"
#include "lapi.c"

#include "lauxlib.c"

#include "lbaselib.c"
#include "lcorolib.c"
#include "ldblib.c"
#include "liolib.c"
#include "lmathlib.c"
#include "loadlib.c"
#include "loslib.c"
#include "lstrlib.c"
#include "ltablib.c"
#include "lutf8lib.c"
#include "linit.c"
