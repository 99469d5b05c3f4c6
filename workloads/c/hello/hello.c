/* Greets whoever NAME names. */

#include "input.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    const char *name = input_text("NAME");
    return printf("Hello, %s!\n", name) >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
