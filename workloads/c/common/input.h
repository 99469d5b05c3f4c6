/* What the C functions share: a strict reading of the environment and of standard input, and one way to refuse it. */

#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>
#include <stdint.h>

/* The bytes of standard input. */
struct input {
    const char *data;
    size_t len;
};

/* A variable that must be there, possibly empty. */
const char *input_text(const char *variable);

/* A variable that must be a whole number from `least` to `most`, in digits only. */
uint64_t input_number(const char *variable, uint64_t least, uint64_t most);

/* How many times the work is to be done: the variable ITERATIONS, or once. */
uint64_t input_iterations(void);

/* All of standard input; it is never freed. */
struct input input_read(void);

/* Ends the program with exit code 2 and one line, which says what is wrong with a variable or with standard input. */
_Noreturn void refuse(const char *variable, const char *what);

/* Writes `text`, ends the line if `newline` says so, and gives the exit code of the program. */
int answer(const char *text, size_t len, int newline);

/* Memory for `count` things of `size` bytes, or the program ends. */
void *allocate(size_t count, size_t size);

/* Keeps the compiler from knowing what is at `p`, so that work on it is done anew in each iteration. */
static inline void hide(const void *p)
{
    __asm__ volatile("" : : "r"(p) : "memory");
}

#endif
