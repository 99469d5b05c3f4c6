/* The prices of a European call and put option, by a Monte Carlo simulation of PATHS paths. */

#include "input.h"
#include "random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* From -1 to 1. */
static double uniform(uint32_t *state)
{
    return (xorshift(state) + 0.5) / 2147483648.0 - 1.0;
}

/* Two normal numbers by Marsaglia's polar method. */
static void normals(uint32_t *state, double pair[2])
{
    double a, b, s;
    do {
        a = uniform(state);
        b = uniform(state);
        s = a * a + b * b;
    } while (s >= 1.0);
    double m = sqrt(-2.0 * log(s) / s);
    pair[0] = a * m;
    pair[1] = b * m;
}

int main(void)
{
    double spot = (double)input_number("SPOT_CENTS", 1, 100000000) / 100.0;
    double strike = (double)input_number("STRIKE_CENTS", 1, 100000000) / 100.0;
    double rate = (double)input_number("RATE_BP", 0, 100000) / 10000.0;
    double volatility = (double)input_number("VOLATILITY_BP", 0, 100000) / 10000.0;
    double years = (double)input_number("DAYS", 0, 36500) / 365.0;
    uint32_t paths = (uint32_t)input_number("PATHS", 1, 1000000000);
    uint32_t state = (uint32_t)input_number("SEED", 1, UINT32_MAX);

    double drift = (rate - volatility * volatility / 2.0) * years;
    double spread = volatility * sqrt(years);
    double call = 0.0, put = 0.0, pair[2] = {0};
    for (uint32_t path = 0; path < paths; path++) {
        if (path % 2 == 0) {
            normals(&state, pair);
        }
        double end = spot * exp(drift + spread * pair[path % 2]);
        call += fmax(end - strike, 0.0);
        put += fmax(strike - end, 0.0);
    }
    double discount = exp(-rate * years);
    printf("call %.4f put %.4f\n", discount * call / paths, discount * put / paths);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
