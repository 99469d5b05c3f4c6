/* Copies standard input to standard output. */

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    static char piece[1 << 16];
    size_t len;
    while ((len = fread(piece, 1, sizeof piece, stdin)) > 0) {
        if (fwrite(piece, 1, len, stdout) != len) {
            return EXIT_FAILURE;
        }
    }
    return !ferror(stdin) && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
