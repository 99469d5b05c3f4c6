/* Counts the lines of standard input that contain WORD. */

#define _POSIX_C_SOURCE 200809L

#include "input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    const char *word = input_text("WORD");
    char *line = NULL;
    size_t capacity = 0, lines = 0;
    while (getline(&line, &capacity, stdin) != -1) {
        lines += strstr(line, word) != NULL;
    }
    free(line);
    return printf("%zu\n", lines) >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
