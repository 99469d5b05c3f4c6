/* Runs a function in JavaScript: SCRIPT, an ES module whose default export is called once. What comes before that call
   can be in a snapshot. */

#include "engine.h"
#include "quickjs-libc.h"
#include "quickjs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Both end with a NUL, as the parser wants it. */
static const char script[] = {
#embed SCRIPT suffix(, 0)
};
static const char input[] = {
#embed "input.js" suffix(, 0)
};

static JSContext *context;
static JSValue function;

static _Noreturn void fail(void)
{
    js_std_dump_error(context);
    exit(EXIT_FAILURE);
}

static JSModuleDef *compile(const char *name, const char *source, size_t len)
{
    JSValue module = JS_Eval(context, source, len, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    return JS_IsException(module) ? NULL : JS_VALUE_GET_PTR(module);
}

/* There is one module that a script can import, beside those of the engine. */
static JSModuleDef *load(JSContext *of, const char *name, void *opaque)
{
    (void)opaque;
    if (strcmp(name, "input") == 0) {
        return compile(name, input, sizeof input - 1);
    }
    JS_ThrowReferenceError(of, "there is no module %s", name);
    return NULL;
}

static void initialize(void)
{
    JSRuntime *runtime = JS_NewRuntime();
    context = runtime == NULL ? NULL : JS_NewContext(runtime);
    if (context == NULL) {
        fputs("no memory for the engine\n", stderr);
        exit(EXIT_FAILURE);
    }
    js_std_init_handlers(runtime);
    js_std_add_helpers(context, 0, NULL);
    js_init_module_std(context, "std");
    JS_SetModuleLoaderFunc(runtime, NULL, load, NULL);

    JSModuleDef *module = compile("function", script, sizeof script - 1);
    if (module == NULL) {
        fail();
    }
    JSValue evaluated = JS_EvalFunction(context, JS_DupValue(context, JS_MKPTR(JS_TAG_MODULE, module)));
    evaluated = js_std_await(context, evaluated);
    JSValue namespace = JS_GetModuleNamespace(context, module);
    if (JS_IsException(evaluated) || JS_IsException(namespace)) {
        fail();
    }
    function = JS_GetPropertyStr(context, namespace, "default");
    JS_FreeValue(context, namespace);
    JS_FreeValue(context, evaluated);
}

/* Wizer calls this, and takes a snapshot behind it. */
__attribute__((export_name("wizer-initialize"))) void snapshot(void)
{
    engine_stopped_clock = true;
    initialize();
    engine_stopped_clock = false;
    JS_RunGC(JS_GetRuntime(context));
}

int main(void)
{
    if (context == NULL) {
        initialize();
    }
    JSValue result = JS_Call(context, function, JS_UNDEFINED, 0, NULL);
    if (JS_IsException(result)) {
        fail();
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
