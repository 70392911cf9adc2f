/* A local rule, applied to one site or to two partners after the other, in the order that an activation gives.
 *
 * The loop knows a rule by its address only; the rules at the end of this file, a user's compiled ones and the one that
 * calls Python are all the same to it, and all get the same random numbers: first those that choose whose turn it is,
 * then the uniforms that the rule asked for. Arrays that rules write to have some cells around them that nobody may
 * change, and are held against them after every sweep.
 */
#ifndef ORGANISM_ACTIVATE_H
#define ORGANISM_ACTIVATE_H

#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "_chance.h"
#include "_games.h"

typedef void (*Rule)(int64_t site, int64_t partner, int64_t degree, const int32_t *neighbours, const double *weights,
                     const double *state, double *out, int64_t columns, double *shared, const double *u);

enum { SYNCHRONOUS, FIXED, PERMUTATION, REPLACEMENT, EDGE, PAIRS, EXPONENTIAL };
enum { ALWAYS, CONSENSUS, STILL };
enum { FINE, RAISED, OUTSIDE, NOT_FINITE, SHARED_NOT_FINITE, INTERRUPTED };
enum { GUARDS = 64, SITES_BETWEEN_LOOKS = 1 << 14 };

typedef struct {
    Rule rule;
    const int64_t *ptr;       /* first neighbour of each site */
    const int32_t *end;       /* neighbours */
    const double *weight;     /* of the ties to them, or NULL */
    const int32_t *order;     /* sites by permanent id */
    const int32_t *giver, *taker; /* ends of the ties, by permanent ids */
    const double *rate_sum;   /* of the clocks of the sites so far, in their order */
    int32_t *deck;            /* sites, shuffled */
    double *state, *other;    /* now, and what is written to or what was before; GUARDS cells on either side */
    double *shared, *u;       /* the same */
    int64_t sites, ties, columns, globals, draws;
    int64_t events, most, sweeps; /* events so far and at most (-1: any); sweeps so far */
    int64_t in_sweep;         /* events so far in this sweep */
    double time, duration;
    int64_t bad;
    Chance chance;
    int activation, closing, until, met;
    volatile int stop;
} Activity;

static const uint64_t GUARD = 0x7FF4C0DEC0DEC0DEull; /* a signalling NaN, which no arithmetic makes */

static void guard(double *x, int64_t n) {
    for (int k = 0; k < GUARDS; k++) memcpy(x - 1 - k, &GUARD, 8), memcpy(x + n + k, &GUARD, 8);
}

static int trespassed(const double *x, int64_t n) {
    for (int k = 0; k < GUARDS; k++)
        if (memcmp(x - 1 - k, &GUARD, 8) || memcmp(x + n + k, &GUARD, 8)) return 1;
    return 0;
}

static inline void apply(Activity *a, int64_t site, int64_t partner) {
    for (int64_t k = 0; k < a->draws; k++) a->u[k] = uniform(&a->chance);
    if (site < 0)
        a->rule(-1, -1, a->sites, NULL, NULL, a->state, a->activation == SYNCHRONOUS ? a->other : a->state, a->columns,
                a->shared, a->u);
    else {
        const int64_t from = a->ptr[site];
        a->rule(site, partner, a->ptr[site + 1] - from, a->end + from, a->weight ? a->weight + from : NULL, a->state,
                a->activation == SYNCHRONOUS ? a->other : a->state, a->columns, a->shared, a->u);
    }
}

static void shuffle(Activity *a) {
    for (int64_t k = a->sites - 1; k > 0; k--) {
        const int64_t with = below(&a->chance, k + 1);
        const int32_t kept = a->deck[k];
        a->deck[k] = a->deck[with];
        a->deck[with] = kept;
    }
}

/* One event of an asynchronous activation; 0 if the clock has run out instead. */
static inline int take_turn(Activity *a) {
    int64_t k = a->in_sweep, low, high;
    switch (a->activation) {
    case FIXED: apply(a, a->order[k], -1); break;
    case PERMUTATION:
        if (!k) shuffle(a);
        apply(a, a->deck[k], -1);
        break;
    case REPLACEMENT: apply(a, a->order[below(&a->chance, a->sites)], -1); break;
    case EDGE:
        k = below(&a->chance, a->ties);
        if (next(&a->chance) >> 63) apply(a, a->taker[k], a->giver[k]);
        else apply(a, a->giver[k], a->taker[k]);
        break;
    case PAIRS:
        if (!k) shuffle(a);
        apply(a, a->deck[2 * k], a->deck[2 * k + 1]);
        break;
    default: {
        const double all = a->rate_sum[a->sites - 1];
        const double then = a->time - log1p(-uniform(&a->chance)) / all;
        double at;
        if (then > a->duration) {
            a->time = a->duration;
            return 0;
        }
        a->time = then;
        at = uniform(&a->chance) * all;
        for (low = 0, high = a->sites - 1; low < high;) {
            const int64_t middle = (low + high) / 2;
            if (a->rate_sum[middle] > at) high = middle;
            else low = middle + 1;
        }
        apply(a, a->order[low], -1);
    }
    }
    a->events++;
    return 1;
}

static int looked(Activity *a) { /* at Ctrl-C */
    PyGILState_STATE held = PyGILState_Ensure();
    if (!a->stop && PyErr_CheckSignals()) a->stop = INTERRUPTED;
    PyGILState_Release(held);
    return a->stop;
}

/* Say what is wrong after a sweep, or 0. */
static int judged(Activity *a) {
    const int64_t n = a->sites * a->columns;
    if (trespassed(a->state, n) || trespassed(a->other, n) || trespassed(a->shared, a->globals) ||
        trespassed(a->u, a->draws))
        return a->stop = OUTSIDE;
    if ((a->bad = unbounded(a->state, n)) >= 0) {
        a->bad /= a->columns;
        return a->stop = NOT_FINITE;
    }
    if ((a->bad = unbounded(a->shared, a->globals)) >= 0) return a->stop = SHARED_NOT_FINITE;
    return 0;
}

static int reached(const Activity *a) {
    const int64_t c = a->columns;
    if (a->until == STILL) return !memcmp(a->state, a->other, (size_t)(a->sites * c) * sizeof(double));
    if (a->until != CONSENSUS) return 0;
    for (int64_t i = 1; i < a->sites; i++) if (a->state[i * c] != a->state[0]) return 0;
    return 1;
}

/* Run so many sweeps, less if the events or the time are up, the goal is met or something is wrong. */
static void activate_sweeps(Activity *a, int64_t sweeps) {
    const int64_t n = a->sites, size = n * a->columns;
    const int64_t turns = a->activation == PAIRS ? n / 2 : n;
    int64_t look = SITES_BETWEEN_LOOKS, k;
    while (sweeps-- > 0 && !a->stop && !a->met) {
        if (a->most >= 0 && a->events >= a->most) return;
        if (a->activation == SYNCHRONOUS || (a->until == STILL && !a->in_sweep))
            memcpy(a->other, a->state, (size_t)size * sizeof(double));
        if (a->activation == SYNCHRONOUS) {
            double *kept;
            for (k = 0; k < n && !a->stop; k++) {
                apply(a, a->order[k], -1);
                if (!--look) {
                    look = SITES_BETWEEN_LOOKS;
                    if (looked(a)) return;
                }
            }
            if (a->closing && !a->stop) apply(a, -1, -1);
            a->events += n;
            kept = a->state, a->state = a->other, a->other = kept;
        } else {
            int up = 0;
            for (; a->in_sweep < turns && !a->stop; a->in_sweep++) {
                if ((a->most >= 0 && a->events >= a->most) || !take_turn(a)) {
                    up = 1;
                    break;
                }
                if (!--look) {
                    look = SITES_BETWEEN_LOOKS;
                    if (looked(a)) return;
                }
            }
            if (up || a->stop) {
                if (!a->stop) judged(a);
                if (up) a->met = 2;
                return;
            }
            a->in_sweep = 0;
            if (a->closing) apply(a, -1, -1);
        }
        a->time += a->activation == EXPONENTIAL ? 0 : 1;
        if (a->stop || judged(a)) return;
        a->sweeps++;
        if (reached(a)) a->met = 1;
    }
}

/* -- rules -------------------------------------------------------------------------------------------------------- */

#define RULE(name) \
    static void name(int64_t site, int64_t partner, int64_t degree, const int32_t *neighbours, const double *weights, \
                     const double *state, double *out, int64_t columns, double *shared, const double *u)
#define UNUSED \
    (void)partner, (void)degree, (void)neighbours, (void)weights, (void)state, (void)columns, (void)shared, (void)u

/* the partner, or a neighbour in proportion to weight; -1: none */
static inline int64_t other_of(int64_t partner, int64_t degree, const int32_t *neighbours, const double *weights,
                               double u) {
    int64_t k;
    if (partner >= 0) return partner;
    if (degree < 1) return -1;
    if (!weights) return neighbours[(int64_t)(u * (double)degree)];
    double all = 0, at;
    int64_t found = -1;
    for (k = 0; k < degree; k++) all += weights[k];
    for (at = u * all, k = 0; k < degree; k++) {
        if (weights[k] > 0) found = neighbours[k];
        if ((at -= weights[k]) < 0) break;
    }
    return found;
}

RULE(voter) {
    const int64_t j = other_of(partner, degree, neighbours, weights, u[0]);
    UNUSED;
    if (j >= 0) out[site * columns] = state[j * columns];
}

RULE(invasion) {
    const int64_t j = other_of(partner, degree, neighbours, weights, u[0]);
    UNUSED;
    if (j >= 0) out[j * columns] = state[site * columns];
}

/* columns: active, threshold; shared: number active, absolute, reversible, everyone, number of sites */
RULE(threshold) {
    const double *own = state + site * columns;
    double active = 0, all = 0, w, now;
    int64_t k;
    UNUSED;
    if (site < 0) { /* the end of a sweep: count anew */
        for (shared[0] = 0, k = 0; k < degree; k++) shared[0] += out[k * columns] != 0;
        return;
    }
    if (shared[3] != 0) active = shared[0], all = shared[4];
    else if (partner >= 0) active = state[partner * columns] != 0, all = 1;
    else for (k = 0; k < degree; k++) {
        w = weights ? weights[k] : 1;
        all += w;
        if (state[neighbours[k] * columns] != 0) active += w;
    }
    if (shared[1] == 0) active = all > 0 ? active / all : 0;
    now = active >= own[1] || (shared[2] == 0 && own[0] != 0);
    if (out == state) shared[0] += (now != 0) - (own[0] != 0); /* who is active now is known at once */
    out[site * columns] = now;
}

/* shared: whether the site itself counts */
RULE(majority) {
    const double own = state[site * columns];
    double most = -1, here;
    int64_t k, j, ties = 0, pick;
    int kept = 0;
    UNUSED;
    if (partner >= 0) {
        out[site * columns] = state[partner * columns];
        return;
    }
    /* two rounds over distinct values, each counted where it comes first: how many have most, then which */
    for (int round = 0; round < 2; round++) {
        pick = round ? (int64_t)(u[0] * (double)ties) : 0;
        for (k = shared[0] != 0 ? -1 : 0; k < degree; k++) {
            const double value = k < 0 ? own : state[neighbours[k] * columns];
            int seen = 0;
            for (here = 0, j = shared[0] != 0 ? -1 : 0; j < degree; j++) {
                if ((j < 0 ? own : state[neighbours[j] * columns]) != value) continue;
                if (j < k) {
                    seen = 1;
                    break;
                }
                here += j < 0 ? 1 : weights ? weights[j] : 1;
            }
            if (seen) continue;
            if (!round) {
                if (here > most) most = here, ties = 0, kept = 0;
                if (here == most) ties++, kept |= value == own;
            } else if (here == most && !pick--) {
                out[site * columns] = value;
                return;
            }
        }
        if (kept || !ties) return; /* the own value is among the best; or there is nobody */
    }
}

/* shared: number of strategies, chance of an error, payoffs [own, other] */
RULE(best_response) {
    const int64_t kinds = (int64_t)shared[0], own = (int64_t)state[site * columns];
    const double *payoff = shared + 2;
    double most = 0, here;
    int64_t s, k, best = -1;
    UNUSED;
    if (u[0] < shared[1]) {
        out[site * columns] = (double)(int64_t)(u[1] * (double)kinds);
        return;
    }
    if (partner < 0 && !degree) return;
    for (k = -1; k < kinds; k++) { /* the own strategy first, so that it is kept if it is among the best */
        s = k < 0 ? own : k;
        here = 0;
        if (partner >= 0) here = payoff[s * kinds + (int64_t)state[partner * columns]];
        else for (int64_t j = 0; j < degree; j++)
            here += (weights ? weights[j] : 1) * payoff[s * kinds + (int64_t)state[neighbours[j] * columns]];
        if (best < 0 || here > most) most = here, best = s;
    }
    out[site * columns] = (double)best;
}

/* shared: how much one gives the other */
RULE(exchange) {
    const int64_t j = other_of(partner, degree, neighbours, weights, u[1]);
    UNUSED;
    if (j < 0) return;
    const int64_t from = u[0] < .5 ? site : j, to = u[0] < .5 ? j : site;
    if (out[from * columns] >= shared[0]) {
        out[from * columns] -= shared[0];
        out[to * columns] += shared[0];
    }
}

static inline int64_t drawn(const double *p, int64_t n, double u) {
    int64_t k;
    for (k = 0; k < n - 1; k++) if ((u -= p[k]) < 0) return k;
    return n - 1;
}

static inline void reinforce(double *p, int64_t n, int64_t act, double by) {
    for (int64_t k = 0; k < n; k++) if (k == act) p[k] += by * (1 - p[k]); else p[k] -= by * p[k];
}

/* columns: probability of each action; shared: rate, payoffs of the site [own, other], of the other [site's, own] */
RULE(cross_learning) {
    const int64_t j = other_of(partner, degree, neighbours, weights, u[2]), n = columns;
    const double *mine = shared + 1, *theirs = mine + n * n;
    UNUSED;
    if (j < 0) return;
    const int64_t a = drawn(state + site * n, n, u[0]), b = drawn(state + j * n, n, u[1]);
    reinforce(out + site * n, n, a, shared[0] * mine[a * n + b]);
    reinforce(out + j * n, n, b, shared[0] * theirs[a * n + b]);
}

/* columns: task (0 idle, 1 … T), threshold of each; shared: leave, work, learn, forget, highest threshold, then T
   stimuli and T demands */
RULE(response_threshold) {
    const int64_t tasks = columns - 1;
    double *stimulus = shared + 5;
    const double *demand = stimulus + tasks, *own = state + site * columns;
    double *to = out + site * columns;
    int64_t k, task;
    UNUSED;
    if (site < 0) { /* the end of a sweep: all demands grow, and work lessens them */
        for (task = 1; task <= tasks; task++) {
            double busy = 0;
            for (k = 0; k < degree; k++) busy += out[k * columns] == (double)task;
            stimulus[task - 1] = fmax(0, stimulus[task - 1] + demand[task - 1] - shared[1] * busy / (double)degree);
        }
        return;
    }
    task = (int64_t)own[0];
    if (task > 0) task = u[0] < shared[0] ? 0 : task;
    else {
        task = 1 + (int64_t)(u[1] * (double)tasks);
        const double s = stimulus[task - 1], t = own[task], square = s * s;
        if (!(s > 0 && u[0] < square / (square + t * t))) task = 0;
    }
    to[0] = (double)task;
    for (k = 1; k <= tasks; k++) {
        double t = own[k] + (k == task ? -shared[2] : shared[3]);
        to[k] = fmin(fmax(t, 0), shared[4]);
    }
}
#undef UNUSED
#undef RULE

static const Rule RULES[] = {voter, invasion, threshold, majority, best_response, exchange, cross_learning,
                             response_threshold};
#endif
