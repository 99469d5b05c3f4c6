/* Multiplies two random N by N matrices. */

#include "input.h"
#include "random.h"

#include <stdio.h>
#include <stdlib.h>

static double *random_matrix(size_t n, uint32_t *state)
{
    double *matrix = allocate(n * n, sizeof *matrix);
    for (size_t i = 0; i < n * n; i++) {
        matrix[i] = (double)(xorshift(state) % 1000) - 500.0;
    }
    return matrix;
}

/* `c` is all zeroes before. */
static void multiply(size_t n, const double *restrict a, const double *restrict b, double *restrict c)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++) {
            double factor = a[i * n + k];
            for (size_t j = 0; j < n; j++) {
                c[i * n + j] += factor * b[k * n + j];
            }
        }
    }
}

int main(void)
{
    size_t n = (size_t)input_number("N", 1, 1000);
    uint32_t state = (uint32_t)input_number("SEED", 1, UINT32_MAX);
    double *a = random_matrix(n, &state), *b = random_matrix(n, &state), *c = allocate(n * n, sizeof *c);
    multiply(n, a, b, c);

    double diagonal = 0.0, sum = 0.0, weighted = 0.0;
    for (size_t i = 0; i < n; i++) {
        diagonal += c[i * n + i];
    }
    for (size_t i = 0; i < n * n; i++) {
        sum += c[i];
        weighted += c[i] * (double)(i % 7 + 1);
    }
    printf("%lld %lld %lld\n", (long long)diagonal, (long long)sum, (long long)weighted);
    free(a);
    free(b);
    free(c);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
