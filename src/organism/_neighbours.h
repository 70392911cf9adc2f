/* Sums, extremes and diffusion over neighbours, on a grid or along ties.
 *
 * _neighbours_of.h holds the loops for one type of element and is included once for each: T is what is read, R what is
 * computed and written (sums of integers are 64 bits wide), OF(name) the name with a suffix.
 *
 * A grid is walked row by row. The rows that reach into the present one are kept, widened by the columns beyond either
 * edge, in a ring of buffers that stays in the nearest cache, so memory is read once and written once; and a result may
 * be written over what it was computed from, as long as each band of rows (one a thread) has kept the rows beyond its
 * edges before anybody writes. Neighbours are always added in one order, so threads cannot change a bit.
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

typedef struct {
    const int64_t *ptr;
    const int32_t *end;
    int64_t sites, columns;
    int self, threads;
} Ties;

#define PLUS(a, b) ((a) + (b))
#define LESS(a, b) ((b) < (a) ? (b) : (a))
#define MORE(a, b) ((b) > (a) ? (b) : (a))

#define T int32_t
#define R int64_t
#define LOW INT64_MIN
#define HIGH INT64_MAX
#define OF(name) name##_i4
#include "_neighbours_of.h"
#undef T
#undef OF
#define T int64_t
#define OF(name) name##_i8
#include "_neighbours_of.h"
#undef T
#undef R
#undef LOW
#undef HIGH
#undef OF
#define T float
#define R float
#define LOW -INFINITY
#define HIGH INFINITY
#define OF(name) name##_f4
#include "_neighbours_of.h"
#undef T
#undef R
#undef OF
#define T double
#define R double
#define OF(name) name##_f8
#include "_neighbours_of.h"
#undef T
#undef R
#undef LOW
#undef HIGH
#undef OF

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
#endif
