/* Runs a function in Lua: SCRIPT, a chunk that returns the function to call. What comes before that call can be in a
   snapshot. */

#include "engine.h"
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

#include <stdio.h>
#include <stdlib.h>

static const char script[] = {
#embed SCRIPT
};
static const char input[] = {
#embed "input.lua"
};

/* The function lies on its stack. */
static lua_State *state;

static void compile(const char *name, const char *source, size_t len)
{
    if (luaL_loadbuffer(state, source, len, name) != LUA_OK) {
        fprintf(stderr, "%s\n", lua_tostring(state, -1));
        exit(EXIT_FAILURE);
    }
}

static void initialize(void)
{
    state = luaL_newstate();
    if (state == NULL) {
        fputs("no memory for the engine\n", stderr);
        exit(EXIT_FAILURE);
    }
    luaL_openlibs(state);
    /* There is one module that a script can require, beside those of the engine. */
    luaL_getsubtable(state, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    compile("@input", input, sizeof input);
    lua_setfield(state, -2, "input");
    lua_pop(state, 1);
    compile("@function", script, sizeof script);
    lua_call(state, 0, 1);
}

/* Wizer calls this, and takes a snapshot behind it. */
__attribute__((export_name("wizer-initialize"))) void snapshot(void)
{
    engine_apart = true;
    initialize();
    engine_apart = false;
    lua_gc(state, LUA_GCCOLLECT);
}

int main(void)
{
    if (state == NULL) {
        initialize();
    }
    lua_call(state, 0, 0);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
