/* The loops for one type of element; see _neighbours.h. No include guard: included once for each type. */

typedef R OF(vector) __attribute__((vector_size(WIDTH)));
typedef T OF(source) __attribute__((vector_size(COUNT * sizeof(T))));
typedef MASK OF(mask) __attribute__((vector_size(WIDTH)));
#define V OF(vector)

INLINE V OF(load)(const T *at) {
    OF(source) read;
    memcpy(&read, at, sizeof read);
    return __builtin_convertvector(read, V);
}
INLINE void OF(store)(R *at, V v) { memcpy(at, &v, sizeof v); }
INLINE V OF(choose)(OF(mask) which, V yes, V no) {
    return (V)(((OF(mask))yes & which) | ((OF(mask))no & ~which));
}
INLINE V OF(plus)(V a, V b) { return a + b; }
INLINE V OF(less)(V a, V b) { return OF(choose)(b < a, b, a); }
INLINE V OF(more)(V a, V b) { return OF(choose)(b > a, b, a); }

/* -- a grid, row by row ------------------------------------------------------------------------------------------- */

/* The eight around each cell of one row, a number a cell. The sum of a column of three serves the cell left of it and
   the one right of it, moved over by a lane. */
#define WALK_EIGHT(name, op, vop) \
APART void OF(name)(const T *const *row, R *restrict out, const R *restrict rate, int64_t n) { \
    const T *a = row[0], *b = row[1], *c = row[2]; \
    int64_t i = 0; \
    if (n >= 2 * COUNT) { \
        V before = {0}, top = OF(load)(a), low = OF(load)(c), pair = vop(top, low), here = vop(vop(top, OF(load)(b)), low); \
        before[COUNT - 1] = op(op((R)a[-1], (R)b[-1]), (R)c[-1]); \
        for (; i + 2 * COUNT <= n; i += COUNT) { \
            top = OF(load)(a + i + COUNT), low = OF(load)(c + i + COUNT); \
            V after = vop(vop(top, OF(load)(b + i + COUNT)), low); \
            V all = vop(vop(FOLLOWING(before, here), pair), AHEAD(here, after)); \
            if (rate) { \
                V own = OF(load)(b + i), part; \
                memcpy(&part, rate + i, sizeof part); \
                all = own + part * (all - 8 * own); \
            } \
            OF(store)(out + i, all); \
            before = here, here = after, pair = vop(top, low); \
        } \
    } \
    for (; i < n; i++) { \
        R all = op(op(op(op((R)a[i - 1], (R)b[i - 1]), (R)c[i - 1]), op((R)a[i], (R)c[i])), \
                   op(op((R)a[i + 1], (R)b[i + 1]), (R)c[i + 1])); \
        out[i] = rate ? (R)b[i] + rate[i] * (all - 8 * (R)b[i]) : all; \
    } \
}
WALK_EIGHT(sum_eight, PLUS, OF(plus))
WALK_EIGHT(least_eight, LESS, OF(less))
WALK_EIGHT(most_eight, MORE, OF(more))
#undef WALK_EIGHT

/* Part of a row, `n` numbers, `step` apart from cell to cell, from the rows around it: row[reach] is its own, and all
   reach beyond either end. Where `degree` is given, for diffusion, not all cells have all neighbours. */
APART void OF(cells)(int what, const T *const *row, R *restrict out, const R *restrict rate, const int32_t *degree,
                      int64_t n, int64_t step, R *restrict full, const Grid *g) {
    const int64_t reach = g->reach;
    const T *b = row[reach];
    int64_t i, dx, dy;
    if (reach == 1 && step == 1 && g->moore && !(what == DIFFUSE && degree)) {
        if (what == LEAST) OF(least_eight)(row, out, NULL, n);
        else if (what == MOST) OF(most_eight)(row, out, NULL, n);
        else OF(sum_eight)(row, out, what == DIFFUSE ? rate : NULL, n);
        if (what == DIFFUSE) return;
    } else if (reach == 1) {
        const T *a = row[0], *c = row[2], *al = a - step, *bl = b - step, *cl = c - step;
        const T *ar = a + step, *br = b + step, *cr = c + step;
#define AROUND(op) \
    if (g->moore) for (i = 0; i < n; i++) \
        out[i] = op(op(op(op((R)al[i], (R)bl[i]), (R)cl[i]), op((R)a[i], (R)c[i])), op(op((R)ar[i], (R)br[i]), (R)cr[i])); \
    else for (i = 0; i < n; i++) out[i] = op(op((R)a[i], (R)c[i]), op((R)bl[i], (R)br[i]));
        if (what == LEAST) { AROUND(LESS) } else if (what == MOST) { AROUND(MORE) } else { AROUND(PLUS) }
#undef AROUND
    } else if (g->moore) {
        /* whole columns of the square, and the own column without its middle; then across */
        int64_t side = reach * step;
#define AROUND(op) { \
    for (i = -side; i < n + side; i++) full[i] = (R)row[0][i]; \
    for (dy = 1; dy <= 2 * reach; dy++) if (dy != reach) \
        for (i = -side; i < n + side; i++) full[i] = op(full[i], (R)row[dy][i]); \
    for (i = 0; i < n; i++) out[i] = full[i]; \
    for (i = -side; i < n + side; i++) full[i] = op(full[i], (R)b[i]); \
    for (dx = 1; dx <= reach; dx++) { \
        const R *restrict l = full - dx * step, *restrict r = full + dx * step; \
        for (i = 0; i < n; i++) out[i] = op(out[i], op(l[i], r[i])); \
    } }
        if (what == LEAST) AROUND(LESS) else if (what == MOST) AROUND(MORE) else AROUND(PLUS)
#undef AROUND
    } else {
#define AROUND(op) { \
    for (i = 0; i < n; i++) out[i] = op((R)row[0][i], (R)row[2 * reach][i]); \
    for (dy = 1 - reach; dy < reach; dy++) { \
        const T *own = row[reach + dy]; \
        int64_t most = reach - (dy < 0 ? -dy : dy); \
        if (dy) for (i = 0; i < n; i++) out[i] = op(out[i], (R)own[i]); \
        for (dx = 1; dx <= most; dx++) \
            for (i = 0; i < n; i++) out[i] = op(out[i], op((R)own[i - dx * step], (R)own[i + dx * step])); \
    } }
        if (what == LEAST) AROUND(LESS) else if (what == MOST) AROUND(MORE) else AROUND(PLUS)
#undef AROUND
    }
    if (what == DIFFUSE) {
        for (i = 0; i < n; i++) {
            R k = degree ? (R)degree[i / step] : (R)(g->moore ? 4 * reach * (reach + 1) : 2 * reach * (reach + 1));
            out[i] = (R)b[i] + rate[i] * (out[i] - k * (R)b[i]);
        }
    } else if (g->self) {
        if (what == LEAST) for (i = 0; i < n; i++) out[i] = LESS(out[i], (R)b[i]);
        else if (what == MOST) for (i = 0; i < n; i++) out[i] = MORE(out[i], (R)b[i]);
        else for (i = 0; i < n; i++) out[i] += (R)b[i];
    }
}

/* A band of rows, which one thread walks. */
typedef struct {
    const T *x, *blank;   /* blank: a row outside a grid with edges */
    T *above, *below;     /* copies of rows, if the result is written over x */
    int64_t from, to, at; /* at: the row that is written */
    int over;
} OF(band);

/* Where row y can be read as it was at first. */
static const T *OF(row_of)(const OF(band) *band, int64_t y, const Grid *g) {
    int64_t n = g->width * g->columns;
    if (!g->torus && (y < 0 || y >= g->height)) return band->blank;
    if (band->over && y <= band->at) return band->above + (y + g->reach + 1) % (g->reach + 1) * n;
    if (band->over && y >= band->to) return band->below + (y - band->to) * n;
    return band->x + (y + g->height) % g->height * n;
}

/* Copy a row into the band's memory before it is written over. */
static void OF(keep)(const OF(band) *band, T *into, int64_t y, const Grid *g) {
    int64_t n = g->width * g->columns;
    if (g->torus || (y >= 0 && y < g->height))
        memcpy(into, band->x + (y + g->height) % g->height * n, (size_t)n * sizeof(T));
}

/* Copy numbers from `first` on of a row that goes on beyond its ends. */
APART void OF(window)(const T *row, T *into, int64_t first, int64_t count, T none, const Grid *g) {
    const int64_t n = g->width * g->columns, after = first + count;
    int64_t i;
    for (i = first; i < 0; i++) *into++ = g->torus ? row[i + n] : none;
    for (; i < n && i < after; i++) *into++ = row[i];
    for (; i < after; i++) *into++ = g->torus ? row[i - n] : none;
}

/* What a cell at an end of its row gets of the eight around it. */
static R OF(end_of_eight)(int what, const T *const *row, const R *rate, int64_t i, T none, const Grid *g) {
    const int64_t n = g->width, l = i ? i - 1 : n - 1, r = i < n - 1 ? i + 1 : 0;
    const int first = i || g->torus, last = i < n - 1 || g->torus;
    const R a = (R)row[0][i], b = (R)row[1][i], c = (R)row[2][i];
    const R al = first ? (R)row[0][l] : (R)none, bl = first ? (R)row[1][l] : (R)none, cl = first ? (R)row[2][l] : (R)none;
    const R ar = last ? (R)row[0][r] : (R)none, br = last ? (R)row[1][r] : (R)none, cr = last ? (R)row[2][r] : (R)none;
#define EIGHT(op) op(op(op(op(al, bl), cl), op(a, c)), op(op(ar, br), cr))
    const R all = what == LEAST ? EIGHT(LESS) : what == MOST ? EIGHT(MORE) : EIGHT(PLUS);
#undef EIGHT
    if (what == DIFFUSE) return b + rate[i] * (all - 8 * b);
    return !g->self ? all : what == LEAST ? LESS(all, b) : what == MOST ? MORE(all, b) : all + b;
}

static int OF(walk)(int what, const T *x, R *out, const R *rate, const int32_t *degree, Grid g) {
    const int64_t n = g.width * g.columns, side = g.reach * g.columns, reach = g.reach, ring = 2 * reach + 1;
    const int64_t left = side < n ? side : n, right = side < n - left ? side : n - left, wide = 3 * side;
    const int64_t last = n - right;
    const int quick = side == 1 && g.moore && !degree;
    const T none = what == LEAST ? HIGH : what == MOST ? LOW : 0;
    const int over = (const void *)x == (const void *)out;
    int bands = (int)(g.threads < g.height / ring ? g.threads : g.height / ring), fine = 1;
    if (bands < 1) bands = 1;
#pragma omp parallel num_threads(bands) if (bands > 1)
    {
#ifdef _OPENMP
        int of = omp_get_num_threads(), number = omp_get_thread_num();
#else
        int of = 1, number = 0;
#endif
        OF(band) band = {.x = x, .from = g.height * number / of, .to = g.height * (number + 1) / of, .over = over};
        int64_t y, d, i;
        /* a blank row; the ends of the rows around, widened; rows that are written over; a row of sums */
        T *room = malloc((size_t)(n + ring * wide + (over ? ring * n : 0)) * sizeof(T));
        T *ends = room ? room + n : NULL;
        R *full = malloc((size_t)(n + 2 * side) * sizeof(R));
        const T **row = malloc((size_t)(2 * ring) * sizeof(T *)), **part = row + ring;
        if (!room || !full || !row) {
#pragma omp atomic write
            fine = 0;
        } else {
            for (d = 0; d < n; d++) room[d] = none;
            band.blank = room;
            band.above = ends + ring * wide;
            band.below = band.above + (reach + 1) * n;
            for (d = 0; over && d < reach; d++) {
                y = band.from - reach + d;
                OF(keep)(&band, band.above + (y + reach + 1) % (reach + 1) * n, y, &g);
                OF(keep)(&band, band.below + d * n, band.to + d, &g);
            }
        }
#pragma omp barrier
        if (fine)
            for (y = band.from; y < band.to; y++) {
                const int32_t *own = degree ? degree + y * g.width : NULL;
                const int edge = y < reach || y >= g.height - reach;
                R *to = out + y * n;
                if (over) OF(keep)(&band, band.above + (y + reach + 1) % (reach + 1) * n, y, &g);
                band.at = y;
                for (d = 0; d < ring; d++) row[d] = OF(row_of)(&band, y + d - reach, &g);
                for (d = 0; d < ring; d++) part[d] = row[d] + left;
                if (last > left)
                    OF(cells)(what, part, to + left, rate ? rate + left : NULL, edge && own ? own + reach : NULL,
                              last - left, g.columns, full + side, &g);
                for (i = 0; i < n; i = i < last ? last : n) {   /* the left end, the right end */
                    if (quick) {
                        to[i] = OF(end_of_eight)(what, row, rate, i, none, &g);
                        continue;
                    }
                    const int64_t count = i < last ? left : right;
                    for (d = 0; d < ring; d++) {
                        part[d] = ends + d * wide + side;
                        OF(window)(row[d], ends + d * wide, i - side, count + 2 * side, none, &g);
                    }
                    OF(cells)(what, part, to + i, rate ? rate + i : NULL, own ? own + i / g.columns : NULL, count,
                              g.columns, full + side, &g);
                }
            }
        free(room);
        free(full);
        free(row);
    }
    return fine;
}

/* -- along ties --------------------------------------------------------------------------------------------------- */

/* Put down what a site's neighbours came to, itself counted if it is, or the step of diffusion that it makes; by default
   as much leaves it along a tie as comes. */
INLINE void OF(put)(int what, const T *x, R *out, const R *strength, R rate, int self, int64_t degree, int64_t i,
                    R all) {
    const R own = (R)x[i];
    if (what == DIFFUSE) all = own + rate * (all - (strength ? strength[i] : (R)degree) * own);
    else if (self) all = what == SUM ? all + own : what == LEAST ? LESS(all, own) : MORE(all, own);
    out[i] = all;
}

/* One number a site and all weights 1, by slices; each site's ties are taken in their order here too. */
#define WALK_SLICES(name, what, op, none) \
APART void OF(name)(const T *x, R *restrict out, const R *strength, R rate, const Ties *t) { \
    const Slices s = t->slices; \
    const int self = t->self; \
    int64_t b; \
    PRAGMA(omp parallel num_threads(t->threads) if (t->threads > 1)) \
    { \
        PRAGMA(omp for schedule(static) nowait) \
        for (b = 0; b < s.runs; b++) { \
            const int32_t *k = s.end + s.start[b], *to = s.end + s.start[b + 1]; \
            const int64_t degree = to - k; \
            R all[SLICE]; \
            int l; \
            for (l = 0; l < SLICE; l++) all[l] = none; \
            for (; k < to; k++) for (l = 0; l < SLICE; l++) all[l] = op(all[l], (R)x[*k + l]); \
            for (l = 0; l < SLICE; l++) OF(put)(what, x, out, strength, rate, self, degree, s.run[b] + l, all[l]); \
        } \
        PRAGMA(omp for schedule(static) nowait) \
        for (b = 0; b < s.gathers; b++) { \
            const int32_t *k = s.end + s.start[s.runs + b], *to = s.end + s.start[s.runs + b + 1]; \
            const int64_t degree = (to - k) / SLICE; \
            R all[SLICE]; \
            int l; \
            for (l = 0; l < SLICE; l++) all[l] = none; \
            for (; k < to; k += SLICE) for (l = 0; l < SLICE; l++) all[l] = op(all[l], (R)x[k[l]]); \
            for (l = 0; l < SLICE; l++) \
                OF(put)(what, x, out, strength, rate, self, degree, s.site[SLICE * b + l], all[l]); \
        } \
        PRAGMA(omp for schedule(static)) \
        for (b = 0; b < s.rests; b++) { \
            const int64_t i = s.rest[b]; \
            const int32_t *k = t->end + t->ptr[i], *to = t->end + t->ptr[i + 1]; \
            const int64_t degree = to - k; \
            R all = none; \
            for (; k < to; k++) all = op(all, (R)x[*k]); \
            OF(put)(what, x, out, strength, rate, self, degree, i, all); \
        } \
    } \
}
WALK_SLICES(sum_slices, SUM, PLUS, 0)
WALK_SLICES(least_slices, LEAST, LESS, HIGH)
WALK_SLICES(most_slices, MOST, MORE, LOW)
WALK_SLICES(diffuse_slices, DIFFUSE, PLUS, 0)
#undef WALK_SLICES

/* Several numbers a site, or weights. */
static void OF(reduce)(int what, const T *x, const R *weight, R *out, Ties t) {
    const int64_t columns = t.columns;
    int64_t i;
    if (columns == 1 && !weight) {
        if (what == LEAST) OF(least_slices)(x, out, NULL, 0, &t);
        else if (what == MOST) OF(most_slices)(x, out, NULL, 0, &t);
        else OF(sum_slices)(x, out, NULL, 0, &t);
        return;
    }
#pragma omp parallel for num_threads(t.threads) if (t.threads > 1) schedule(static)
    for (i = 0; i < t.sites; i++) {
        const int64_t from = t.ptr[i], to = t.ptr[i + 1];
        R *row = out + i * columns;
        int64_t k, c;
        for (c = 0; c < columns; c++) row[c] = what == LEAST ? HIGH : what == MOST ? LOW : 0;
        for (k = from; k < to + t.self; k++) {
            const T *other = x + (k < to ? t.end[k] : i) * columns;
            const R w = weight && k < to ? weight[k] : 1;
            if (what == SUM) for (c = 0; c < columns; c++) row[c] += w * (R)other[c];
            else if (what == LEAST) for (c = 0; c < columns; c++) row[c] = LESS(row[c], (R)other[c]);
            else for (c = 0; c < columns; c++) row[c] = MORE(row[c], (R)other[c]);
        }
    }
}

static void OF(argmax)(const T *x, int64_t *out, Ties t) {
    int64_t i;
#pragma omp parallel for num_threads(t.threads) if (t.threads > 1) schedule(static)
    for (i = 0; i < t.sites; i++) {
        int64_t k, c;
        for (c = 0; c < t.columns; c++) {
            int64_t best = t.self ? i : -1;
            for (k = t.ptr[i]; k < t.ptr[i + 1]; k++)
                if (best < 0 || x[t.end[k] * t.columns + c] > x[best * t.columns + c]) best = t.end[k];
            out[i * t.columns + c] = best;
        }
    }
}

static void OF(equal)(const T *x, int64_t *out, Ties t) {
    int64_t i;
#pragma omp parallel for num_threads(t.threads) if (t.threads > 1) schedule(static)
    for (i = 0; i < t.sites; i++) {
        int64_t k, c;
        for (c = 0; c < t.columns; c++) {
            const T own = x[i * t.columns + c];
            int64_t alike = t.self;
            for (k = t.ptr[i]; k < t.ptr[i + 1]; k++) alike += x[t.end[k] * t.columns + c] == own;
            out[i * t.columns + c] = alike;
        }
    }
}

static void OF(spread)(const T *x, R *out, const R *weight, const R *strength, const R *rate, Ties t) {
    int64_t i;
    if (t.columns == 1 && !weight && t.slices.runs >= t.slices.gathers) {
        OF(diffuse_slices)(x, out, strength, rate[0], &t);
        return;
    }
    if (t.columns == 1 && !weight) { /* slices of sites from here and there: their own numbers are read in order, after */
        const R part = rate[0];
        OF(sum_slices)(x, out, NULL, 0, &t);
#pragma omp parallel for num_threads(t.threads) if (t.threads > 1) schedule(static)
        for (i = 0; i < t.sites; i++)
            OF(put)(DIFFUSE, x, out, strength, part, 0, t.ptr[i + 1] - t.ptr[i], i, out[i]);
        return;
    }
#pragma omp parallel for num_threads(t.threads) if (t.threads > 1) schedule(static)
    for (i = 0; i < t.sites; i++) {
        R *row = out + i * t.columns;
        int64_t k, c;
        for (c = 0; c < t.columns; c++) row[c] = 0;
        for (k = t.ptr[i]; k < t.ptr[i + 1]; k++) {
            const R w = weight ? weight[k] : 1;
            const T *other = x + t.end[k] * t.columns;
            for (c = 0; c < t.columns; c++) row[c] += w * (R)other[c];
        }
        for (c = 0; c < t.columns; c++)
            row[c] = (R)x[i * t.columns + c] + rate[c] * (row[c] - strength[i] * (R)x[i * t.columns + c]);
    }
}
#undef V
