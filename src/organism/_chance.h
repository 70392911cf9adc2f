/* Random numbers of the compiled loops: xoshiro256** (Blackman and Vigna 2021, ACM Trans. Math. Softw. 47: 36), whose
 * state comes from splitmix64 (Steele, Lea and Flood 2014). A stream is named by a seed and a number: no two runs
 * share one, and none depends on how many others there are. The plain twin is in tests/reference_blocks.py.
 */
#ifndef ORGANISM_CHANCE_H
#define ORGANISM_CHANCE_H

#include <stdint.h>

typedef struct { uint64_t s[4]; } Chance;

static inline uint64_t mixed(uint64_t *x) { /* splitmix64 */
    uint64_t z = (*x += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static inline Chance stream(uint64_t seed, uint64_t number) {
    Chance c;
    uint64_t at = seed, also = number, x;
    x = mixed(&at) ^ (mixed(&also) * 0xD1342543DE82EF95ull);
    for (int i = 0; i < 4; i++) c.s[i] = mixed(&x);
    return c;
}

static inline uint64_t rolled(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline uint64_t next(Chance *c) {
    uint64_t *s = c->s, result = rolled(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rolled(s[3], 45);
    return result;
}

/* uniform in [0, 1), a multiple of 2^-53 */
static inline double uniform(Chance *c) { return (double)(next(c) >> 11) * 0x1.0p-53; }

/* uniform in 0 … n - 1, without bias (Lemire 2019, ACM Trans. Model. Comput. Simul. 29: 3) */
static inline int64_t below(Chance *c, int64_t n) {
    unsigned __int128 m = (unsigned __int128)next(c) * (uint64_t)n;
    if ((uint64_t)m < (uint64_t)n) {
        uint64_t least = (uint64_t)(-(uint64_t)n) % (uint64_t)n;
        while ((uint64_t)m < least) m = (unsigned __int128)next(c) * (uint64_t)n;
    }
    return (int64_t)(m >> 64);
}
#endif
