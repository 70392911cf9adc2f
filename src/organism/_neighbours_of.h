/* The loops for one type of element; see _neighbours.h. No include guard: included once for each type. */

/* -- a grid, row by row ------------------------------------------------------------------------------------------- */

/* One row of `n` numbers, `step` apart from cell to cell, from the rows around it: row[reach] is its own. */
static void OF(cells)(int what, R *const *row, R *restrict out, const R *restrict rate, const int32_t *degree, int64_t n,
                      int64_t step, R *restrict full, const Grid *g) {
    const int64_t reach = g->reach;
    const R *restrict b = row[reach];
    int64_t i, dx, dy;
    if (reach == 1) {
        const R *restrict a = row[0], *restrict c = row[2];
        const R *restrict al = a - step, *restrict bl = b - step, *restrict cl = c - step;
        const R *restrict ar = a + step, *restrict br = b + step, *restrict cr = c + step;
#define AROUND(op) \
    if (g->moore) for (i = 0; i < n; i++) \
        out[i] = op(op(op(op(al[i], bl[i]), cl[i]), op(a[i], c[i])), op(op(ar[i], br[i]), cr[i])); \
    else for (i = 0; i < n; i++) out[i] = op(op(a[i], c[i]), op(bl[i], br[i]));
        if (what == DIFFUSE && !degree) {
            const R k = g->moore ? 8 : 4;
            if (g->moore) for (i = 0; i < n; i++)
                out[i] = b[i] + rate[i] * ((((al[i] + bl[i]) + cl[i]) + (a[i] + c[i])) + ((ar[i] + br[i]) + cr[i]) - k * b[i]);
            else for (i = 0; i < n; i++)
                out[i] = b[i] + rate[i] * ((a[i] + c[i]) + (bl[i] + br[i]) - k * b[i]);
            return;
        }
        if (what == LEAST) { AROUND(LESS) } else if (what == MOST) { AROUND(MORE) } else { AROUND(PLUS) }
#undef AROUND
    } else if (g->moore) {
        /* whole columns of the square, and the own column without its middle; then across */
        int64_t side = reach * step;
#define AROUND(op) { \
    for (i = -side; i < n + side; i++) full[i] = row[0][i]; \
    for (dy = 1; dy <= 2 * reach; dy++) if (dy != reach) \
        for (i = -side; i < n + side; i++) full[i] = op(full[i], row[dy][i]); \
    for (i = 0; i < n; i++) out[i] = full[i]; \
    for (i = -side; i < n + side; i++) full[i] = op(full[i], b[i]); \
    for (dx = 1; dx <= reach; dx++) { \
        const R *restrict l = full - dx * step, *restrict r = full + dx * step; \
        for (i = 0; i < n; i++) out[i] = op(out[i], op(l[i], r[i])); \
    } }
        if (what == LEAST) AROUND(LESS) else if (what == MOST) AROUND(MORE) else AROUND(PLUS)
#undef AROUND
    } else {
#define AROUND(op) { \
    for (i = 0; i < n; i++) out[i] = op(row[0][i], row[2 * reach][i]); \
    for (dy = 1 - reach; dy < reach; dy++) { \
        const R *restrict own = row[reach + dy]; \
        int64_t most = reach - (dy < 0 ? -dy : dy); \
        if (dy) for (i = 0; i < n; i++) out[i] = op(out[i], own[i]); \
        for (dx = 1; dx <= most; dx++) \
            for (i = 0; i < n; i++) out[i] = op(out[i], op(own[i - dx * step], own[i + dx * step])); \
    } }
        if (what == LEAST) AROUND(LESS) else if (what == MOST) AROUND(MORE) else AROUND(PLUS)
#undef AROUND
    }
    if (what == DIFFUSE) {
        for (i = 0; i < n; i++) {
            R k = degree ? (R)degree[i / step] : (R)(g->moore ? 4 * reach * (reach + 1) : 2 * reach * (reach + 1));
            out[i] = b[i] + rate[i] * (out[i] - k * b[i]);
        }
    } else if (g->self) {
        if (what == LEAST) for (i = 0; i < n; i++) out[i] = LESS(out[i], b[i]);
        else if (what == MOST) for (i = 0; i < n; i++) out[i] = MORE(out[i], b[i]);
        else for (i = 0; i < n; i++) out[i] += b[i];
    }
}

/* Copy row y, widened by `side` numbers beyond either edge; outside a grid with edges there is what changes nothing. */
static void OF(fetch)(const T *x, R *row, int64_t y, R none, const Grid *g) {
    int64_t n = g->width * g->columns, side = g->reach * g->columns, i;
    if (g->torus) y = (y + g->height) % g->height;
    if (y < 0 || y >= g->height) {
        for (i = -side; i < n + side; i++) row[i] = none;
        return;
    }
    x += y * n;
    if (sizeof(T) == sizeof(R)) memcpy(row, x, (size_t)n * sizeof(R));       /* then they are the same type */
    else for (i = 0; i < n; i++) row[i] = (R)x[i];
    for (i = 0; i < side; i++) {
        row[i - side] = g->torus ? row[n - side + i] : none;
        row[n + i] = g->torus ? row[i] : none;
    }
}

static int OF(walk)(int what, const T *x, R *out, const R *rate, const int32_t *degree, Grid g) {
    const int64_t n = g.width * g.columns, side = g.reach * g.columns, wide = n + 2 * side, reach = g.reach;
    const R none = what == LEAST ? HIGH : what == MOST ? LOW : 0;
    int bands = (int)(g.threads < g.height / (2 * reach + 1) ? g.threads : g.height / (2 * reach + 1)), fine = 1;
    if (bands < 1) bands = 1;
#pragma omp parallel num_threads(bands) if (bands > 1)
    {
#ifdef _OPENMP
        int band = omp_get_thread_num(), of = omp_get_num_threads();
#else
        int band = 0, of = 1;
#endif
        int64_t from = g.height * band / of, to = g.height * (band + 1) / of, y, d;
        int64_t ring = 2 * reach + 1;
        /* the ring, the rows below the band, a row of sums */
        R *room = malloc((size_t)((ring + reach + 1) * wide) * sizeof(R));
        R **row = malloc((size_t)ring * sizeof(R *));
        if (!room || !row) {
#pragma omp atomic write
            fine = 0;
        } else {
            for (d = -reach; d < reach; d++) OF(fetch)(x, room + ((from + d + ring) % ring) * wide + side, from + d, none, &g);
            for (d = 0; d < reach; d++) OF(fetch)(x, room + (ring + d) * wide + side, to + d, none, &g);
        }
#pragma omp barrier
        if (fine)
            for (y = from; y < to; y++) {
                R *last = room + ((y + reach + ring) % ring) * wide + side;
                if (y + reach < to) OF(fetch)(x, last, y + reach, none, &g);
                else memcpy(last - side, room + (ring + y + reach - to) * wide, (size_t)wide * sizeof(R));
                for (d = 0; d < ring; d++) row[d] = room + ((y + d - reach + ring) % ring) * wide + side;
                OF(cells)(what, row, out + y * n, rate, degree ? degree + y * g.width : NULL, n, g.columns,
                          room + (ring + reach) * wide + side, &g);
            }
        free(room);
        free(row);
    }
    return fine;
}

/* -- along ties --------------------------------------------------------------------------------------------------- */

static void OF(reduce)(int what, const T *x, const R *weight, R *out, Ties t) {
    const int64_t columns = t.columns;
    int64_t i;
#pragma omp parallel for num_threads(t.threads) if (t.threads > 1) schedule(static)
    for (i = 0; i < t.sites; i++) {
        const int64_t from = t.ptr[i], to = t.ptr[i + 1];
        int64_t k, c;
        if (columns == 1) {
            R all = what == LEAST ? HIGH : what == MOST ? LOW : 0;
            if (what == SUM && weight) for (k = from; k < to; k++) all += weight[k] * (R)x[t.end[k]];
            else if (what == SUM) for (k = from; k < to; k++) all += (R)x[t.end[k]];
            else if (what == LEAST) for (k = from; k < to; k++) all = LESS(all, (R)x[t.end[k]]);
            else for (k = from; k < to; k++) all = MORE(all, (R)x[t.end[k]]);
            if (t.self) all = what == SUM ? all + (R)x[i] : what == LEAST ? LESS(all, (R)x[i]) : MORE(all, (R)x[i]);
            out[i] = all;
            continue;
        }
        R *row = out + i * columns;
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
#pragma omp parallel for num_threads(t.threads) if (t.threads > 1) schedule(static)
    for (i = 0; i < t.sites; i++) {
        int64_t k, c;
        const R own = strength[i];
        if (t.columns == 1) {
            R all = 0;
            if (weight) for (k = t.ptr[i]; k < t.ptr[i + 1]; k++) all += weight[k] * (R)x[t.end[k]];
            else for (k = t.ptr[i]; k < t.ptr[i + 1]; k++) all += (R)x[t.end[k]];
            out[i] = (R)x[i] + rate[0] * (all - own * (R)x[i]);
            continue;
        }
        R *row = out + i * t.columns;
        for (c = 0; c < t.columns; c++) row[c] = 0;
        for (k = t.ptr[i]; k < t.ptr[i + 1]; k++) {
            const R w = weight ? weight[k] : 1;
            const T *other = x + t.end[k] * t.columns;
            for (c = 0; c < t.columns; c++) row[c] += w * (R)other[c];
        }
        for (c = 0; c < t.columns; c++)
            row[c] = (R)x[i * t.columns + c] + rate[c] * (row[c] - own * (R)x[i * t.columns + c]);
    }
}
