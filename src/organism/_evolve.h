/* Strategies that spread on a graph, one event after the other, in many replicates.
 *
 * Each replicate has its own stream of random numbers and is run by one thread, so neither threads nor the number of
 * replicates change a bit. Payoffs are kept: where a strategy changes, only those who play against it are reckoned
 * anew, from their counts. The sum of all fitness, which birth-death needs, is a tree whose nodes are sums of two
 * others, so rounding cannot pile up.
 */
#ifndef ORGANISM_EVOLVE_H
#define ORGANISM_EVOLVE_H

#include <Python.h>

#include "_chance.h"
#include "_games.h"

enum { DEATH_BIRTH, BIRTH_DEATH, IMITATION, PAIRWISE };
enum { EVENTS_BETWEEN_LOOKS = 1 << 16 };

typedef struct {
    Near near, back;              /* along out-ties and in-ties; both with weights or neither */
    const int32_t *order;         /* sites by permanent id */
    const int32_t *initial;       /* strategies at first */
    const double *first, *second; /* payoffs as row and, if there are two roles, as column */
    double *strength;             /* weight of the games of each site */
    int64_t sites, kinds, replicates, events, mutant; /* mutant: -1 none; else at one site */
    uint64_t seed;
    double selection, mutation;
    int update, self, average, exact, absorb, mutual, threads; /* mutual: all ties go both ways and weigh 1 */
    int64_t *counts, *done;       /* results: (replicates, kinds), (replicates,) */
    int32_t *fixed, *last;        /* (replicates,), (replicates, sites) or NULL */
} Evolve;

typedef struct {
    int32_t *s;
    double *out, *in, *fit, *tree; /* counts of others' strategies, fitness, sums of fitness */
    int64_t *count, leaves;
    const double *known;           /* fitness by number of games, own strategy and others of strategy 1, or NULL */
} Room;

enum { KNOWN = 32 };               /* most games for which it is known */

static inline double fitness(const Evolve *e, const double *out, const double *in, int64_t own, double strength) {
    double all = earned(out, e->first, own, e->kinds, 0);
    if (e->second) all += earned(in, e->second, own, e->kinds, 1);
    if (e->average) all = strength > 0 ? all / strength : 0;
    return e->update == PAIRWISE ? all : 1 + e->selection * all;
}

static inline void reckon(const Evolve *e, Room *r, int64_t i) {
    const int64_t m = e->kinds, own = r->s[i];
    const double *c = r->out + i * m;
    if (r->known) r->fit[i] = r->known[((int64_t)(c[0] + c[1]) * 2 + own) * (KNOWN + 1) + (int64_t)c[1]];
    else r->fit[i] = fitness(e, c, r->in + i * m, own, e->strength[i]);
    if (r->tree) {
        int64_t k = r->leaves + i;
        r->tree[k] = r->fit[i];
        for (k /= 2; k; k /= 2) r->tree[k] = r->tree[2 * k] + r->tree[2 * k + 1];
    }
}

static void count_anew(const Evolve *e, Room *r, int64_t i) {
    const int64_t m = e->kinds;
    counted(r->out + i * m, r->s, e->near, i, m);
    if (e->self) r->out[i * m + r->s[i]] += 1;
    if (e->second) {
        counted(r->in + i * m, r->s, e->back, i, m);
        if (e->self) r->in[i * m + r->s[i]] += 1;
    }
}

static void begin(const Evolve *e, Room *r) {
    int64_t i;
    memset(r->count, 0, (size_t)e->kinds * sizeof(int64_t));
    for (i = 0; i < e->sites; i++) r->count[r->s[i] = e->initial[i]]++;
    if (r->tree) memset(r->tree, 0, (size_t)(2 * r->leaves) * sizeof(double));
    for (i = 0; i < e->sites; i++) count_anew(e, r, i);
    for (i = 0; i < e->sites; i++) reckon(e, r, i);
}

static void change(const Evolve *e, Room *r, int64_t k, int32_t to) {
    const int64_t m = e->kinds;
    const int32_t was = r->s[k];
    int64_t t;
    r->s[k] = to;
    r->count[was]--;
    r->count[to]++;
    if (e->self) {
        r->out[k * m + was] -= 1, r->out[k * m + to] += 1;
        if (e->second) r->in[k * m + was] -= 1, r->in[k * m + to] += 1;
    }
    reckon(e, r, k);
    for (t = e->back.ptr[k]; t < e->back.ptr[k + 1]; t++) { /* those who play row against k */
        int64_t i = e->back.end[t];
        double w = e->back.weight ? e->back.weight[t] : 1;
        if (e->exact) r->out[i * m + was] -= w, r->out[i * m + to] += w;
        else count_anew(e, r, i);
        reckon(e, r, i);
    }
    if (e->second) for (t = e->near.ptr[k]; t < e->near.ptr[k + 1]; t++) { /* and column */
        int64_t i = e->near.end[t];
        double w = e->near.weight ? e->near.weight[t] : 1;
        if (e->exact) r->in[i * m + was] -= w, r->in[i * m + to] += w;
        else count_anew(e, r, i);
        reckon(e, r, i);
    }
}

/* the other end of a tie, in proportion to weight and, if given, fitness; or, if `own`, the site itself; -1: none */
static inline int64_t chosen(Near near, int64_t i, const double *fit, int own, Chance *c) {
    const int64_t from = near.ptr[i], to = near.ptr[i + 1];
    double all = 0, at;
    int64_t k, found = own ? i : -1;
    if (!near.weight && !fit) return to > from ? near.end[from + below(c, to - from)] : -1;
#define PART ((near.weight ? near.weight[k] : 1) * (fit ? fit[near.end[k]] : 1))
    if (near.weight) for (k = from; k < to; k++) all += PART;
    else for (k = from; k < to; k++) all += fit[near.end[k]];
    if (own) all += fit[i];
    if (!(all > 0)) return -1;
    at = uniform(c) * all;
    for (k = from; k < to; k++) {
        double part = near.weight ? PART : fit[near.end[k]];
        if (part > 0 && !own) found = near.end[k];
        if ((at -= part) < 0) return near.end[k];
    }
#undef PART
    return found;
}

static inline int64_t parent(const Room *r, int64_t sites, Chance *c) {
    double at = uniform(c) * r->tree[1];
    int64_t k = 1;
    while (k < r->leaves) {
        k *= 2;
        if (at >= r->tree[k]) {
            if (r->tree[k + 1] > 0) at -= r->tree[k], k++;
        }
    }
    return k - r->leaves < sites ? k - r->leaves : sites - 1;
}

/* Whether nobody could give a site another strategy; where ties are mutual its own counts tell, and it draws nothing. */
static inline int among_equals(const Evolve *e, const Room *r, int64_t i) {
    const double others = (double)(e->near.ptr[i + 1] - e->near.ptr[i] + e->self);
    return e->mutual && !(e->mutation > 0) && r->out[i * e->kinds + r->s[i]] == others;
}

static void event(const Evolve *e, Room *r, Chance *c) {
    int64_t to, from;
    int32_t strategy;
    switch (e->update) {
    case BIRTH_DEATH:
        from = parent(r, e->sites, c);
        to = chosen(e->near, from, NULL, 0, c);
        break;
    case PAIRWISE:
        to = e->order[below(c, e->sites)];
        if (among_equals(e, r, to)) return;
        from = chosen(e->back, to, NULL, 0, c);
        if (from >= 0 && !(uniform(c) < 1 / (1 + exp(-e->selection * (r->fit[from] - r->fit[to]))))) from = to;
        break;
    default:
        to = e->order[below(c, e->sites)];
        if (among_equals(e, r, to)) return;
        from = chosen(e->back, to, r->fit, e->update == IMITATION, c);
    }
    if (from < 0 || to < 0) return;
    strategy = r->s[from];
    if (e->mutation > 0 && uniform(c) < e->mutation) strategy = (int32_t)below(c, e->kinds);
    if (strategy != r->s[to]) change(e, r, to, strategy);
}

/* Run all replicates. 0: done; 1: no memory; 2: interrupted, with the exception set. */
static int evolve_all(const Evolve *e) {
    const int64_t n = e->sites, m = e->kinds;
    double known[(KNOWN + 1) * 2 * (KNOWN + 1)];
    int state = 0, few = m == 2 && !e->second && !e->near.weight;
    for (int64_t i = 0; i < n; i++) few &= e->strength[i] <= KNOWN;
    if (few) for (int games = 0; games <= KNOWN; games++) for (int own = 0; own < 2; own++)
        for (int ones = 0; ones <= games; ones++) {
            const double count[2] = {games - ones, ones};
            known[(games * 2 + own) * (KNOWN + 1) + ones] = fitness(e, count, NULL, own, games);
        }
#pragma omp parallel num_threads(e->threads) if (e->threads > 1)
    {
#ifdef _OPENMP
        const int chief = omp_get_thread_num() == 0;
#else
        const int chief = 1;
#endif
        Room r = {0};
        int64_t one, look = EVENTS_BETWEEN_LOOKS;
        size_t doubles, all;
        char *room;
        r.known = few ? known : NULL;
        if (e->update == BIRTH_DEATH) for (r.leaves = 1; r.leaves < n;) r.leaves *= 2;
        doubles = (size_t)(n * m * (e->second ? 2 : 1) + n + 2 * r.leaves);
        all = doubles * sizeof(double) + (size_t)m * sizeof(int64_t) + (size_t)n * sizeof(int32_t);
        all = (all + 63) / 64 * 64;
        room = malloc(2 * all);
        if (!room) {
#pragma omp atomic write
            state = 1;
        } else {
            r.out = (double *)room;
            r.in = r.out + n * m;
            r.fit = r.in + (e->second ? n * m : 0);
            r.tree = r.leaves ? r.fit + n : NULL;
            r.count = (int64_t *)(r.fit + n + 2 * r.leaves);
            r.s = (int32_t *)(r.count + m);
            begin(e, &r);
            memcpy(room + all, room, all);
        }
#pragma omp for schedule(dynamic, 8)
        for (one = 0; one < e->replicates; one++) {
            Chance c = stream(e->seed, (uint64_t)one);
            int64_t done = 0, k;
            int32_t fixed = -1;
            int now;
#pragma omp atomic read
            now = state;
            if (now || !room) continue;
            memcpy(room, room + all, all);
            if (e->mutant >= 0) change(e, &r, e->order[below(&c, n)], (int32_t)e->mutant);
            for (k = 0; k < m; k++) if (r.count[k] == n) fixed = (int32_t)k;
            while ((e->events < 0 || done < e->events) && !(e->absorb && fixed >= 0)) {
                event(e, &r, &c);
                done++;
                if (e->absorb) {
                    const int32_t other = r.s[0];
                    if (r.count[other] == n) fixed = other;
                }
                if (!--look) {
                    look = EVENTS_BETWEEN_LOOKS;
                    if (chief) {
                        PyGILState_STATE held = PyGILState_Ensure();
                        int stop = PyErr_CheckSignals();
                        PyGILState_Release(held);
                        if (stop) {
#pragma omp atomic write
                            state = 2;
                        }
                    }
#pragma omp atomic read
                    now = state;
                    if (now) break;
                }
            }
            for (fixed = -1, k = 0; k < m; k++) {
                e->counts[one * m + k] = r.count[k];
                if (r.count[k] == n) fixed = (int32_t)k;
            }
            e->fixed[one] = fixed;
            e->done[one] = done;
            if (e->last) memcpy(e->last + one * n, r.s, (size_t)n * sizeof(int32_t));
        }
        free(room);
    }
    return state;
}
#endif
