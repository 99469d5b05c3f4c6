/* What a function is as a shared library, so that it can be called in a process that lives: version 1 of the interface.
   docs/BASELINES.md says how isobar uses it. */

#ifndef ISOBAR_H
#define ISOBAR_H

#include <stddef.h>
#include <stdint.h>

/* What one call gives to the function, and takes its output. All of it is the caller's, and there until the call ends. */
struct isobar_call {
    int argc;                       /* how many arguments, the function's name among them */
    const char *const *argv;        /* they, and a null pointer */
    const char *const *env;         /* the variables as NAME=value, and a null pointer; there are no others */
    const uint8_t *input;           /* standard input */
    size_t input_len;               /* how many bytes that is */
    void *host;                     /* the caller's own, for `write` */
    /* Takes bytes of standard output (`stream` is 1) or standard error (2), in order; they may be gone afterwards. */
    void (*write)(void *host, int stream, const uint8_t *bytes, size_t len);
};

/* Runs the function once and gives its exit code. It can be called any number of times, one call at a time. It neither ends
   the process nor touches its environment or its standard streams beyond the call, and keeps no pointer to anything of it. A function that gives up as an executable would
   by a signal does so here, too, and takes the process with it. */
int32_t isobar_call_v1(const struct isobar_call *call);

#endif
