/* Sums, extremes and diffusion over neighbours, on a grid or along ties.
 *
 * _neighbours_of.h holds the loops for one type of element and is included once for each: T is what is read, R what is
 * computed and written (sums of integers are 64 bits wide), OF(name) the name with a suffix.
 *
 * A grid is walked row by row, in bands of rows, one a thread. What is beyond the ends of a row is put beside copies of
 * the ends; the rest is read where it is, so that memory is read once and written once. If the result is written over
 * what it is computed from, a band keeps copies of the rows that are still needed.
 *
 * Ties are walked by slices of SLICE sites that have as many neighbours each, so that one instruction serves several
 * sites: first "runs", consecutive sites whose neighbours are consecutive too (then one neighbour of each slot is
 * enough to know the others), then sites gathered by their number of neighbours, then the rest one by one.
 *
 * Neighbours are always added in one order, so neither threads nor slices nor lanes can change a bit.
 */
#ifndef ORGANISM_NEIGHBOURS_H
#define ORGANISM_NEIGHBOURS_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

enum { SUM, LEAST, MOST, DIFFUSE };

typedef struct {
    int64_t height, width, columns; /* cells of the grid, and numbers a cell */
    int64_t reach;                  /* cells to either side */
    int moore, torus, self;
    int threads;
} Grid;

#define SLICE 16 /* sites */

typedef struct {
    const int32_t *run, *site, *rest; /* first site of each run, SLICE sites of each gather, the rest's sites */
    const int64_t *start;             /* where the ends of each run, then of each gather, begin */
    const int32_t *end;               /* of a run those of its first site; of a gather, SLICE by SLICE, those of each slot */
    int64_t runs, gathers, rests;
} Slices;

typedef struct {
    const int64_t *ptr;
    const int32_t *end;
    int64_t sites, columns;
    int self, threads;
    Slices slices;
} Ties;

#define INLINE static inline __attribute__((always_inline))
#define APART static __attribute__((noinline))
#define PRAGMA(text) _Pragma(#text)

/* Lanes: numbers in a vector register. FOLLOWING and AHEAD move by one lane what two registers hold one after the other,
   to begin with the last of the first, or with its second. */
#if defined(__AVX512F__)
#define WIDTH 64
#define LANES4 16
#define LANES8 8
#define LAST4 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
#define NEXT4 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#define LAST8 7, 8, 9, 10, 11, 12, 13, 14
#define NEXT8 1, 2, 3, 4, 5, 6, 7, 8
#elif defined(__AVX2__)
#define WIDTH 32
#define LANES4 8
#define LANES8 4
#define LAST4 7, 8, 9, 10, 11, 12, 13, 14
#define NEXT4 1, 2, 3, 4, 5, 6, 7, 8
#define LAST8 3, 4, 5, 6
#define NEXT8 1, 2, 3, 4
#else
#define WIDTH 16
#define LANES4 4
#define LANES8 2
#define LAST4 3, 4, 5, 6
#define NEXT4 1, 2, 3, 4
#define LAST8 1, 2
#define NEXT8 1, 2
#endif
#ifdef __clang__
#define PICK(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define PICK(a, b, ...) __builtin_shuffle(a, b, (OF(mask)){__VA_ARGS__})
#endif

#define PLUS(a, b) ((a) + (b))
#define LESS(a, b) ((b) < (a) ? (b) : (a))
#define MORE(a, b) ((b) > (a) ? (b) : (a))

/* COUNT: lanes of R; MASK: the whole number of R's size; LOW, HIGH: what changes no extreme. */
#define COUNT LANES8
#define MASK int64_t
#define FOLLOWING(a, b) PICK(a, b, LAST8)
#define AHEAD(a, b) PICK(a, b, NEXT8)
#define R int64_t
#define T int32_t
#define LOW INT32_MIN
#define HIGH INT32_MAX
#define OF(name) name##_i4
#include "_neighbours_of.h"
#undef T
#undef LOW
#undef HIGH
#undef OF
#define T int64_t
#define LOW INT64_MIN
#define HIGH INT64_MAX
#define OF(name) name##_i8
#include "_neighbours_of.h"
#undef T
#undef R
#undef LOW
#undef HIGH
#undef OF
#define LOW -INFINITY
#define HIGH INFINITY
#define T double
#define R double
#define OF(name) name##_f8
#include "_neighbours_of.h"
#undef T
#undef R
#undef OF
#undef COUNT
#undef MASK
#undef FOLLOWING
#undef AHEAD
#define COUNT LANES4
#define MASK int32_t
#define FOLLOWING(a, b) PICK(a, b, LAST4)
#define AHEAD(a, b) PICK(a, b, NEXT4)
#define T float
#define R float
#define OF(name) name##_f4
#include "_neighbours_of.h"
#undef T
#undef R
#undef OF
#undef COUNT
#undef MASK
#undef FOLLOWING
#undef AHEAD
#undef LOW
#undef HIGH

/* kind: 0 int32, 1 int64, 2 float32, 3 float64; addresses of arrays that the caller holds. 0: no memory. */
static int grid_walk(int kind, int what, const void *x, void *out, const void *rate, const int32_t *degree, Grid g) {
    switch (kind) {
    case 0: return walk_i4(what, x, out, rate, degree, g);
    case 1: return walk_i8(what, x, out, rate, degree, g);
    case 2: return walk_f4(what, x, out, rate, degree, g);
    default: return walk_f8(what, x, out, rate, degree, g);
    }
}

#define DISPATCH(name, ...) \
    switch (kind) { \
    case 0: name##_i4(__VA_ARGS__); break; \
    case 1: name##_i8(__VA_ARGS__); break; \
    case 2: name##_f4(__VA_ARGS__); break; \
    default: name##_f8(__VA_ARGS__); \
    }

static void ties_reduce(int kind, int what, const void *x, const void *weight, void *out, Ties t) {
    DISPATCH(reduce, what, x, weight, out, t)
}
static void ties_argmax(int kind, const void *x, int64_t *out, Ties t) { DISPATCH(argmax, x, out, t) }
static void ties_equal(int kind, const void *x, int64_t *out, Ties t) { DISPATCH(equal, x, out, t) }

/* flows along in-ties, so that what leaves one site arrives at others */
static void ties_diffuse(int kind, const void *x, void *out, const void *weight, const void *strength, const void *rate,
                         Ties t) {
    if (kind == 2) spread_f4(x, out, weight, strength, rate, t);
    else spread_f8(x, out, weight, strength, rate, t);
}

static void ties_count(const int32_t *x, int64_t *out, int64_t categories, Ties t) {
    int64_t i;
#pragma omp parallel for num_threads(t.threads) if (t.threads > 1) schedule(static)
    for (i = 0; i < t.sites; i++) {
        int64_t *row = out + i * categories, k;
        memset(row, 0, (size_t)categories * sizeof(int64_t));
        for (k = t.ptr[i]; k < t.ptr[i + 1]; k++) row[x[t.end[k]]]++;
        if (t.self) row[x[i]]++;
    }
}

/* Sort sites into slices: runs, gathers by number of neighbours, the rest; 0: no memory. There is room for all sites in
   `site` and `rest`, and for as many runs as there could be; count: runs, gathers, rests, ends. */
static int slices_find(Ties t, int32_t *run, int32_t *site, int32_t *rest, int64_t *count) {
    const int64_t n = t.sites, *ptr = t.ptr;
    int64_t i, l, k, degree, most = 0, runs = 0, loose = 0, gathers = 0, rests = 0, ends = 0;
    int32_t *by = malloc((size_t)(n + 1) * sizeof(int32_t));
    for (i = 0; i < n; i++) if (ptr[i + 1] - ptr[i] > most) most = ptr[i + 1] - ptr[i];
    int64_t *first = calloc((size_t)most + 2, sizeof(int64_t));
    if (!by || !first) {
        free(by);
        free(first);
        return 0;
    }
    for (i = 0; i < n;) {
        degree = ptr[i + 1] - ptr[i];
        for (l = 1; l < SLICE && i + l < n; l++) {
            const int32_t *before = t.end + ptr[i + l - 1], *own = t.end + ptr[i + l];
            if (ptr[i + l + 1] - ptr[i + l] != degree) break;
            for (k = 0; k < degree && own[k] == before[k] + 1; k++);
            if (k < degree) break;
        }
        if (l == SLICE) {
            run[runs++] = (int32_t)i;
            ends += degree;
            i += SLICE;
        } else for (; l > 0; l--, i++) rest[loose++] = (int32_t)i;
    }
    /* by number of neighbours, else in their order */
    for (k = 0; k < loose; k++) first[ptr[rest[k] + 1] - ptr[rest[k]] + 1]++;
    for (degree = 0; degree <= most; degree++) first[degree + 1] += first[degree];
    for (k = 0; k < loose; k++) by[first[ptr[rest[k] + 1] - ptr[rest[k]]]++] = rest[k];
    for (k = 0; k < loose;) {
        degree = ptr[by[k] + 1] - ptr[by[k]];
        for (l = 1; l < SLICE && k + l < loose && ptr[by[k + l] + 1] - ptr[by[k + l]] == degree; l++);
        if (l == SLICE) {
            memcpy(site + SLICE * gathers++, by + k, SLICE * sizeof(int32_t));
            ends += SLICE * degree;
            k += SLICE;
        } else for (; l > 0; l--, k++) rest[rests++] = by[k];
    }
    free(by);
    free(first);
    count[0] = runs, count[1] = gathers, count[2] = rests, count[3] = ends;
    return 1;
}

/* Put the ends of slices that were found one after the other. */
static void slices_fill(Ties t, int64_t *start, int32_t *end) {
    const Slices *s = &t.slices;
    int64_t b, k, at = 0;
    for (b = 0; b < s->runs; b++) {
        const int64_t from = t.ptr[s->run[b]], degree = t.ptr[s->run[b] + 1] - from;
        start[b] = at;
        if (degree) memcpy(end + at, t.end + from, (size_t)degree * sizeof(int32_t));
        at += degree;
    }
    for (b = 0; b < s->gathers; b++) {
        const int32_t *site = s->site + SLICE * b;
        const int64_t degree = t.ptr[site[0] + 1] - t.ptr[site[0]];
        start[s->runs + b] = at;
        for (k = 0; k < SLICE * degree; k++) end[at + k] = t.end[t.ptr[site[k % SLICE]] + k / SLICE];
        at += SLICE * degree;
    }
    start[s->runs + s->gathers] = at;
}
#endif
