/* Games between neighbours, and whom they imitate, all sites at once.
 *
 * Payoffs come from counts of the neighbours' strategies, summed in the order of the strategies, so that equal
 * situations give the same bits. On a grid of square cells with two strategies and neighbours one step away the counts
 * are small whole numbers: rows are counted in bytes and payoffs looked up; and the best score of each strategy is
 * found row by row, of three, as extremes are in _neighbours.h.
 */
#ifndef ORGANISM_GAMES_H
#define ORGANISM_GAMES_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

typedef struct {
    const int64_t *ptr;   /* first neighbour of each site */
    const int32_t *end;   /* neighbours, in the order of permanent ids */
    const double *weight; /* of the ties to them, or NULL: all 1 */
} Near;

/* -- reading ------------------------------------------------------------------------------------------------------ */

/* U: unsigned as T, so that negative numbers are great; compared as wide as they are */
#define READ(T, U) { \
    const T *x = from; \
    const U last = (uint64_t)(most - 1) < (U)-1 >> 1 ? (U)(most - 1) : (U)-1 >> 1; \
    if (small) for (i = 0; i < n; i++) wrong |= (U)x[i] > last, small[i] = (uint8_t)x[i]; \
    else for (i = 0; i < n; i++) wrong |= (U)x[i] > last, wide[i] = (int32_t)x[i]; \
    for (i = 0; wrong && i < n; i++) if ((U)x[i] > last) return i; \
    return -1; }

/* Read whole numbers of `size` bytes into bytes or else 32 bits; returns the first not in 0 … most - 1, or -1. */
static int64_t codes(const void *from, int size, int64_t n, int64_t most, uint8_t *restrict small,
                     int32_t *restrict wide) {
    int64_t i;
    int wrong = 0;
    if (size == 1) READ(int8_t, uint8_t)
    if (size == 4) READ(int32_t, uint32_t)
    READ(int64_t, uint64_t)
}
#undef READ

/* Find the first number that is not finite, else -1. */
static int64_t unbounded(const double *x, int64_t n) {
    const uint64_t mask = 0x7FF0000000000000ull;
    uint64_t bits;
    int64_t i, wrong = 0;
    for (i = 0; i < n; i++) {
        memcpy(&bits, x + i, 8);
        wrong |= (bits & mask) == mask;
    }
    if (!wrong) return -1;
    for (i = 0; i < n; i++) if (!isfinite(x[i])) return i;
    return -1;
}

/* -- play --------------------------------------------------------------------------------------------------------- */

/* what a strategy earns from so many neighbours of each; column: payoffs are of [theirs, own] */
static inline double earned(const double *count, const double *payoff, int64_t own, int64_t kinds, int column) {
    double all = 0;
    int64_t s;
    for (s = 0; s < kinds; s++) all += count[s] * (column ? payoff[s * kinds + own] : payoff[own * kinds + s]);
    return all;
}

static inline double counted(double *count, const int32_t *strategy, Near near, int64_t i, int64_t kinds) {
    double games = 0, w;
    int64_t k;
    memset(count, 0, (size_t)kinds * sizeof(double));
    for (k = near.ptr[i]; k < near.ptr[i + 1]; k++) {
        w = near.weight ? near.weight[k] : 1;
        count[strategy[near.end[k]]] += w;
        games += w;
    }
    return games;
}

/* Payoffs along ties: as row with `row` against the others' `column`; and, if there is `second`, as column too.
   0: no memory. */
static int play_ties(const int32_t *row, const int32_t *column, const double *first, const double *second, double *out,
                     Near near, Near back, int64_t sites, int64_t kinds, int self, int average, int threads) {
    int fine = 1;
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        double *count = malloc((size_t)kinds * sizeof(double));
        int64_t i;
        if (!count) {
#pragma omp atomic write
            fine = 0;
        }
#pragma omp for schedule(static)
        for (i = 0; i < sites; i++) {
            double all, games;
            if (!count) continue;
            games = counted(count, column, near, i, kinds);
            if (self) count[column[i]] += 1, games += 1;
            all = earned(count, first, row[i], kinds, 0);
            if (second) {
                games += counted(count, row, back, i, kinds);
                if (self) count[row[i]] += 1, games += 1;
                all += earned(count, second, column[i], kinds, 1);
            }
            out[i] = !average ? all : games > 0 ? all / games : 0;
        }
        free(count);
    }
    return fine;
}

/* Two strategies, 0 and 1 in bytes, on a grid with neighbours one step away. 0: no memory. */
static int play_grid(const uint8_t *s, double *out, const double *payoff, int64_t height, int64_t width, int moore,
                     int torus, int self, int average, int threads) {
    const int64_t wide = width + 2;
    int fine = 1;
    /* what each strategy earns from so many neighbours, of whom so many play 1 */
    double table[9][2][16];
    const int full = moore ? 8 : 4;
    int n, own, ones;
    for (n = torus ? full : 0; n <= full; n++) for (own = 0; own < 2; own++) for (ones = 0; ones <= n; ones++) {
        double count[2] = {n - ones, ones}, all;
        if (self) count[own] += 1;
        all = earned(count, payoff, own, 2, 0);
        table[n][own][ones] = !average ? all : n + self > 0 ? all / (n + self) : 0;
    }
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        uint8_t *room = calloc((size_t)(5 * wide), 1);
        int64_t y, x;
        if (!room) {
#pragma omp atomic write
            fine = 0;
        }
#pragma omp for schedule(static)
        for (y = 0; y < height; y++) {
            uint8_t *restrict up, *restrict here, *restrict down, *restrict sum, *restrict index;
            int d, rows = 0;
            if (!room) continue;
            up = room + 1, here = up + wide, down = here + wide, sum = down + wide, index = sum + wide;
            for (d = -1; d <= 1; d++) {
                uint8_t *to = room + (d + 1) * wide + 1;
                int64_t from = torus ? (y + d + height) % height : y + d;
                if (from < 0 || from >= height) {
                    memset(to - 1, 0, (size_t)wide);
                    continue;
                }
                rows++;
                memcpy(to, s + from * width, (size_t)width);
                to[-1] = torus ? to[width - 1] : 0;
                to[width] = torus ? to[0] : 0;
            }
            if (moore) {
                for (x = -1; x <= width; x++) sum[x] = (uint8_t)(up[x] + here[x] + down[x]);
                for (x = 0; x < width; x++)
                    index[x] = (uint8_t)(sum[x - 1] + sum[x] + sum[x + 1] - here[x] + 16 * here[x]);
            } else {
                for (x = 0; x < width; x++)
                    index[x] = (uint8_t)(up[x] + down[x] + here[x - 1] + here[x + 1] + 16 * here[x]);
            }
            {
                const double *most = &table[moore ? 3 * rows - 1 : rows + 1][0][0];
                double *restrict to = out + y * width;
                for (x = 0; x + 4 <= width; x += 4) {
                    const double a = most[index[x]], b = most[index[x + 1]];
                    const double c = most[index[x + 2]], e = most[index[x + 3]];
                    to[x] = a, to[x + 1] = b, to[x + 2] = c, to[x + 3] = e;
                }
                for (; x < width; x++) to[x] = most[index[x]];
                if (!torus) for (x = 0; x < width; x += width > 1 ? width - 1 : 1) { /* columns less */
                    int across = 1 + (x > 0) + (x < width - 1);
                    to[x] = (&table[moore ? across * rows - 1 : rows - 1 + across - 1][0][0])[index[x]];
                }
            }
        }
        free(room);
    }
    return fine;
}

/* -- imitate the best --------------------------------------------------------------------------------------------- */

/* whom a site imitates: itself if it is among the best and counts, else the first of the best; -1: nobody */
static inline int64_t model(const double *payoff, const int64_t *ptr, const int32_t *end, int64_t i, int self) {
    double most = self ? payoff[i] : -INFINITY;
    int64_t best = self ? i : -1, k;
    for (k = ptr[i]; k < ptr[i + 1]; k++) if (payoff[end[k]] > most) most = payoff[best = end[k]];
    return best;
}

/* Copy whole numbers of `size` bytes from the best of each site's neighbours. */
static void imitate_ties(const void *from, void *to, int size, const double *payoff, const int64_t *ptr,
                         const int32_t *end, int64_t sites, int self, int threads) {
    int64_t i;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (i = 0; i < sites; i++) {
        int64_t best = model(payoff, ptr, end, i, self);
        if (best < 0) best = i;
        if (size == 1) ((int8_t *)to)[i] = ((const int8_t *)from)[best];
        else if (size == 4) ((int32_t *)to)[i] = ((const int32_t *)from)[best];
        else ((int64_t *)to)[i] = ((const int64_t *)from)[best];
    }
}

/* Whether all numbers are the same when rounded to float. */
static int rounded(const double *x, int64_t n) {
    int64_t i, end;
    int wrong = 0;
    for (i = end = 0; i < n && !wrong; )
        for (end = n - end > 1024 ? end + 1024 : n; i < end; i++) wrong |= (double)(float)x[i] != x[i];
    return !wrong;
}

/* One row of scores: those of strategy 0, those of 1, and the best of three beside each other of both; widened by a
   cell at either end. Beyond an edge nobody scores. Rounded to float: what is more then, was more before. */
static void scores(const uint8_t *s, const double *payoff, float *room, int64_t y, int64_t height, int64_t width,
                   int moore, int torus) {
    const int64_t wide = width + 2;
    float *restrict zero = room + 1, *restrict one = zero + wide;
    float *restrict most0 = one + wide, *restrict most1 = most0 + wide;
    int64_t x;
    if (torus) y = (y + height) % height;
    if (y < 0 || y >= height) {
        for (x = 0; x < 4 * wide; x++) room[x] = -INFINITY;
        return;
    }
    s += y * width;
    payoff += y * width;
    for (x = 0; x < width; x++) {
        const int32_t mine = -(int32_t)s[x];
        const float score = (float)payoff[x];
        one[x] = mine ? score : -INFINITY;
        zero[x] = mine ? -INFINITY : score;
    }
    zero[-1] = torus ? zero[width - 1] : -INFINITY, zero[width] = torus ? zero[0] : -INFINITY;
    one[-1] = torus ? one[width - 1] : -INFINITY, one[width] = torus ? one[0] : -INFINITY;
    if (!moore) return;
#define BEST(a, b) ((a) > (b) ? (a) : (b))
    for (x = 0; x < width; x++) {
        most0[x] = BEST(BEST(zero[x - 1], zero[x + 1]), zero[x]);
        most1[x] = BEST(BEST(one[x - 1], one[x + 1]), one[x]);
    }
}

#define PUT(T) { \
    T *to = (T *)out + y * width; \
    if (size != 4) for (x = 0; x < width; x++) to[x] = (T)new[x]; \
    if (unsure) for (x = 0; x < width; x++) if (new[x] > 1) { \
        int64_t who = model(payoff, ptr, end, y * width + x, self); \
        to[x] = (T)s[who < 0 ? y * width + x : who]; \
    } }

/* The same for two strategies, 0 and 1 in bytes, on a grid with neighbours one step away. 0: no memory. */
static int imitate_grid(const uint8_t *s, void *out, int size, const double *payoff, const int64_t *ptr,
                        const int32_t *end, int64_t height, int64_t width, int moore, int torus, int self,
                        int threads) {
    const int64_t wide = width + 2;
    const int exact = self && rounded(payoff, height * width);
    int fine = 1, bands = (int)(threads < height ? threads : height);
#pragma omp parallel num_threads(bands) if (bands > 1)
    {
#ifdef _OPENMP
        int64_t band = omp_get_thread_num(), of = omp_get_num_threads();
#else
        int64_t band = 0, of = 1;
#endif
        int64_t from = height * band / of, to = height * (band + 1) / of, y, x, d;
        float *room = malloc((size_t)(13 * wide) * sizeof(float));
        if (!room) {
#pragma omp atomic write
            fine = 0;
        } else {
            for (d = -1; d < 1; d++)
                scores(s, payoff, room + ((from + d + 3) % 3) * 4 * wide, from + d, height, width, moore, torus);
            for (y = from; y < to; y++) {
                const float *up = room + ((y + 2) % 3) * 4 * wide + 1, *here = room + (y % 3) * 4 * wide + 1;
                float *low = room + ((y + 1) % 3) * 4 * wide;
                const float *down = low + 1;
                const float *restrict z = here, *restrict o = z + wide;
                const float *restrict h0 = o + wide, *restrict h1 = h0 + wide;
                const float *restrict u0 = up + (moore ? 2 : 0) * wide, *restrict u1 = u0 + wide;
                const float *restrict d0 = down + (moore ? 2 : 0) * wide, *restrict d1 = d0 + wide;
                int32_t *restrict new = size == 4 ? (int32_t *)out + y * width : (int32_t *)(room + 12 * wide);
                int32_t unsure = 0;
                scores(s, payoff, low, y + 1, height, width, moore, torus);
                /* in lanes as wide as the scores: 0, 1, or 2 where it takes a closer look who of both is best */
#define MOST(row, side) BEST(BEST(u##row[x], d##row[x]), side)
#define THREE(of) BEST(BEST(of[x - 1], of[x + 1]), of[x])
#define DECIDE(m0, m1) { \
    const float most0 = m0, most1 = m1, own = BEST(o[x], z[x]); \
    const int32_t more = most1 > most0 ? 1 : 0, same = most1 == most0 ? 3 : 0; \
    const int32_t mine = o[x] > z[x] ? 1 : 0, among = own >= most0 ? 1 : 2; \
    unsure |= new[x] = more | (same & among & (mine | 2)); }
#define COMPARE(m0, m1) { \
    const float most0 = m0, most1 = m1; \
    unsure |= new[x] = most1 > most0 ? 1 : most1 < most0 ? 0 : 2; }
                if (exact && moore) for (x = 0; x < width; x++) DECIDE(MOST(0, h0[x]), MOST(1, h1[x]))
                else if (exact) for (x = 0; x < width; x++) DECIDE(MOST(0, THREE(z)), MOST(1, THREE(o)))
                else if (self && moore) for (x = 0; x < width; x++) COMPARE(MOST(0, h0[x]), MOST(1, h1[x]))
                else if (self) for (x = 0; x < width; x++) COMPARE(MOST(0, THREE(z)), MOST(1, THREE(o)))
                else for (x = 0; x < width; x++)
                    COMPARE(MOST(0, BEST(z[x - 1], z[x + 1])), MOST(1, BEST(o[x - 1], o[x + 1])))
                unsure &= 2;
                if (size == 1) PUT(int8_t) else if (size == 4) PUT(int32_t) else PUT(int64_t)
            }
        }
        free(room);
    }
    return fine;
}
#undef PUT
#undef DECIDE
#undef COMPARE
#undef THREE
#undef MOST
#undef BEST
#endif
