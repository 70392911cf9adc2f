# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True, auto_pickle=False, autotestdict=False
"""The tick: eight passes over arrays. Knows numbers and nothing else.

(a) A *plane* is an array of rows; a row has one element a site. Sites are
    padded to whole slices of LANES sites and followed by one slice of
    sentinels: sites that are never occupied, at which the padding of tie lists
    points. Per-tie planes are indexed by slot (see topology.py).
(b) A *pass* is one function over one slice. It handles W sites at once in
    vector lanes (_lanes.h) and writes only rows of its own sites: whoever owns
    a site writes it, neighbours only read what earlier passes wrote. So the
    order of slices, and the number of threads, cannot change a bit.
(c) `sweep` runs a pass over all slices; it holds the module's only parallel
    loop. `Kernel.run` is the tick.
(d) Sums over neighbours run in slot order, which is permanent-site-id order.
    Nothing else is summed across sites within a tick, but the mean welfare,
    in permanent-id order on one thread.
(e) Stocks, offers and the ledger are float64, because goods are conserved;
    all that only steers behaviour is float32 (MODEL.md, "Precision").

The kernel checks nothing and cannot raise: world.py does, beforehand.
"""

from cython.parallel cimport prange, threadid
from libc.math cimport NAN, cos, exp, floor, log, pow, sqrt
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memset

cdef extern from "_lanes.h" nogil:
    enum: W
    enum: LANES
    enum: BLOCKS
    enum: CHECKED
    int lanes_fault
    ctypedef float vf
    ctypedef int vi
    ctypedef unsigned int vu
    ctypedef struct vd:
        pass
    ctypedef struct vl:
        pass
    ctypedef struct fplane:
        float* at
        int64_t len, row, step
    ctypedef struct dplane:
        double* at
        int64_t len, row, step
    ctypedef struct iplane:
        int32_t* at
        int64_t len, row, step
    ctypedef struct uplane:
        uint32_t* at
        int64_t len, row, step
    ctypedef struct splane:
        int16_t* at
        int64_t len, row, step
    ctypedef struct bplane:
        int8_t* at
        int64_t len, row, step
    vf ld(fplane, int64_t, int64_t)
    vd ldd(dplane, int64_t, int64_t)
    vi ldi(iplane, int64_t)
    vu ldu(uplane, int64_t, int64_t)
    vi lds(splane, int64_t)
    vi ldb(bplane, int64_t)
    void st(fplane, int64_t, int64_t, vf)
    void std(dplane, int64_t, int64_t, vd)
    void sti(iplane, int64_t, vi)
    void sts(splane, int64_t, vi)
    void stb(bplane, int64_t, vi)
    float* ref(fplane, int64_t, int64_t)
    double* refd(dplane, int64_t, int64_t)
    int32_t* refi(iplane, int64_t)
    uint32_t* refu(uplane, int64_t, int64_t)
    int16_t* refs(splane, int64_t)
    int8_t* refb(bplane, int64_t)
    vf gather(fplane, int64_t, vi)
    vd gatherd(dplane, int64_t, vi)
    vi gatherb(bplane, vi)
    vf splat(float)
    vi splati(int32_t)
    vd splatd(double)
    vd wide(vf)
    vd dadd(vd, vd)
    vd dsub(vd, vd)
    vd dmul(vd, vd)
    vd ddiv(vd, vd)
    vf narrow(vd)
    vl widem(vi)
    vi less(vf, vf)
    vi more(vf, vf)
    vi same(vi, vi)
    vi atleast(vi, vi)
    vi both(vi, vi)
    vi either(vi, vi)
    vi negate(vi)
    vi number(vf)
    vl mored(vd, vd)
    vf pick(vi, vf, vf)
    vi picki(vi, vi, vi)
    vd pickd(vl, vd, vd)
    vf only(vi, vf)
    vd onlyd(vl, vd)
    vf vmax(vf, vf)
    vf vmin(vf, vf)
    vd vmaxd(vd, vd)
    vd vmind(vd, vd)
    int any(vi)
    double total(vd)
    vf vexp(vf)
    vf vlog(vf)
    void philox(uint32_t*, uint32_t, uint32_t)
    void vphilox(uint32_t, uint32_t, uint32_t, uint32_t, vu, vu, vu*)
    vf unit(vu)
    float unit1(uint32_t)
    uint32_t low(uint64_t)
    uint32_t high(uint64_t)
    double seconds()

cdef extern from *:
    """
    #ifdef _OPENMP
    #define ORGANISM_OPENMP 1
    #else
    #define ORGANISM_OPENMP 0
    #endif
    static int cpu_level(void) {
    #if defined(__x86_64__)
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) return 4;
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 3;
    #endif
        return 1;
    }
    """
    enum: ORGANISM_OPENMP
    int cpu_level() nogil

#: Streams of random numbers; MODEL.md lists what each one decides.
cpdef enum Stream:
    ACT = 0
    DEATH = 1
    REFILL = 2
    BIRTH = 3
    START_POLICY = 4
    START_STOCK = 5
    MUTATION = 6
    FOUNDER = 7
    CANDIDATE = 256

cpdef enum CareKind:
    SELF = 0
    NEIGHBOURS = 1
    KIN = 2
    INTERDEPENDENCE = 3
    WHOLE = 4

#: Rows of the goods account, per resource.
cpdef enum Account:
    PRODUCED = 0
    BURNED = 1
    SPOILED = 2
    LOST = 3

lanes = LANES
width = W
openmp = bool(ORGANISM_OPENMP)
checked = bool(CHECKED)


def level():
    """Return the highest instruction level of this processor that a build exists for: 1, 3 or 4."""
    return cpu_level()


cdef struct Book:                  # everything a pass needs; filled by Kernel._bind
    int64_t slices, sites, K, M, F, G, tick
    uint32_t seed0, seed1
    # parameters
    int perception, cue, rest, horizon, care_kind, geometric, leontief, inherit_policy, global_parents
    int any_empty, directed, ledger, depletion_law
    int64_t n_alive
    float yield_, skill_gain, skill_up, skill_down, work_cost, depletion, regrowth, task_memory
    float complementarity, share_cost, bond_rate, bond_floor, memory, trace_decay, baseline_rate
    float exploration, share_exploration, task_bound, share_bound, saturation
    float hazard, frailty, vitality_rate, refill, selection, mutation_sd
    float start_skill, start_welfare, start_vitality
    double loss, start_stock, start_spread, policy_sd
    uint32_t mutates               # bit per trait: care, capability, reserve, learning rate
    float mean_welfare
    # members
    bplane occupied, shared, order_share, doomed
    splane task, order_task
    iplane age, births
    uplane key
    int64_t* uid
    int64_t* parent_uid
    int64_t* founder
    dplane stock, ground, offer
    fplane shortfall, deficit, skill, supply, richness, need, reserve, capability, care, learning_rate
    fplane task_counts, policy, eligibility, share_policy, share_eligibility, share_feature
    fplane welfare, appraisal, baseline, vitality, consumption, given, others, harm
    fplane neighbours, mutual      # numbers of occupied out-neighbours, and of those with both ties
    dplane spoilage, account
    # ties
    int64_t* out_ptr
    int64_t* in_ptr
    iplane out_index, in_index, in_to_out, mate
    fplane bond, trace, slot_weight
    dplane ledger_total
    # order of permanent ids
    int64_t* by_id
    int64_t* site_id
    # per-thread scratch
    char* scratch
    int64_t scratch_bytes, walk_offset

cdef inline int64_t site_at(const Book* b, int64_t rank) noexcept nogil:
    """Return the site of the rank-th permanent id."""
    return rank if b.by_id == NULL else b.by_id[rank]


cdef inline uint64_t id_of(const Book* b, int64_t i) noexcept nogil:
    return <uint64_t>(i if b.site_id == NULL else b.site_id[i])


ctypedef void (*Pass)(const Book*, int64_t, char*) noexcept nogil


cdef void sweep(const Book* b, Pass work, int threads) noexcept nogil:
    """Run one pass over all slices."""
    cdef int64_t s
    if threads == 1:
        for s in range(b.slices):
            work(b, s, b.scratch)
    else:
        for s in prange(b.slices, num_threads=threads, schedule='static'):
            work(b, s, b.scratch + threadid() * b.scratch_bytes)


# -- pass 1: sense (what the neighbours will see) -----------------------------------------

cdef void sense(const Book* b, int64_t s, char* scratch) noexcept nogil:
    """Write the shortfall max(0, 1 - x/reserve) of every member; 0 where reserve is 0."""
    cdef int64_t i, c, k
    cdef vf x, reserve
    cdef vi here
    for c in range(BLOCKS):
        i = s * LANES + c * W
        here = ldb(b.occupied, i)
        here = negate(same(here, splati(0)))
        for k in range(b.K):
            x = narrow(ldd(b.stock, k, i))
            reserve = ld(b.reserve, k, i)
            x = vmax(splat(0), splat(1) - x / pick(more(reserve, splat(0)), reserve, splat(1)))
            st(b.shortfall, k, i, only(both(here, more(reserve, splat(0))), x))


# -- passes 2 and 3: choose and produce ------------------------------------------------

cdef inline void act_block(const Book* b, int64_t s, int64_t i, vf* feature, const int64_t K,
                           const int64_t M, const int64_t F) noexcept nogil:
    cdef int64_t k, m, f, t, base = b.out_ptr[s] + i - s * LANES
    cdef int64_t deg = (b.out_ptr[s + 1] - b.out_ptr[s]) // LANES
    cdef vi here = negate(same(ldb(b.occupied, i), splati(0)))
    cdef vf* prob = feature + F
    cdef vf one = splat(1), zero = splat(0)
    cdef vf z, top, norm, p, s_chosen, p_chosen, cumulated, u_task, u_share, coefficient, q, y, weight
    cdef vi chosen, is_it, forced, share, ordered
    cdef vu word[4]
    cdef vd x
    # features
    feature[0] = one
    f = 1
    if b.perception >= 1:
        for k in range(K):
            feature[f + k] = ld(b.shortfall, k, i)
        f += K
    if b.perception == 2:
        weight = ld(b.neighbours, 0, i)
        weight = only(more(weight, zero), one / vmax(weight, one))
        for k in range(K):
            y = zero
            for t in range(deg):
                y += gather(b.shortfall, k, ldi(b.out_index, base + t * LANES))
            feature[f + k] = y * weight
        f += K
    if b.cue:
        for k in range(K):
            feature[f + k] = ld(b.supply, k, i) * ld(b.richness, k, i)
    # task: p = (1 - eps) softmax(theta f) + eps / M
    vphilox(<uint32_t>b.tick, ACT, b.seed0, b.seed1, ldu(b.key, 0, i), ldu(b.key, 1, i), word)
    u_task = unit(word[0])
    u_share = unit(word[1])
    for m in range(M):
        z = ld(b.policy, m * F, i)
        for f in range(1, F):
            z += ld(b.policy, m * F + f, i) * feature[f]
        prob[m] = z
        top = z if m == 0 else vmax(top, z)
    norm = zero
    for m in range(M):
        prob[m] = vexp(prob[m] - top)
        norm += prob[m]
    norm = one / norm
    chosen = splati(<int32_t>(M - 1))
    is_it = splati(0)                      # found so far
    cumulated = zero
    for m in range(M):
        prob[m] = prob[m] * norm
        cumulated += prob[m] * splat(1 - b.exploration) + splat(b.exploration / M)
        share = both(less(u_task, cumulated), negate(is_it))
        chosen = picki(share, splati(<int32_t>m), chosen)
        is_it = either(is_it, share)
    forced = splati(0)
    if b.order_task.at != NULL:
        share = lds(b.order_task, i)
        forced = atleast(share, splati(0))
        chosen = picki(forced, share, chosen)
    s_chosen = zero
    for m in range(M):
        s_chosen = pick(same(chosen, splati(<int32_t>m)), prob[m], s_chosen)
    p_chosen = s_chosen * splat(1 - b.exploration) + splat(b.exploration / M)
    coefficient = only(both(here, negate(forced)),
                       splat(1 - b.exploration) * s_chosen / vmax(p_chosen, splat(1e-30)))
    for m in range(M):
        y = coefficient * (only(same(chosen, splati(<int32_t>m)), one) - prob[m])
        for f in range(F):
            st(b.eligibility, m * F + f, i,
               ld(b.eligibility, m * F + f, i) * splat(b.trace_decay) + y * feature[f])
    # share: p = eps + (1 - 2 eps) sigma(phi g)
    z = ld(b.share_policy, 0, i)
    for f in range(1, b.G):
        z += ld(b.share_policy, f, i) * ld(b.share_feature, f - 1, i)
    q = one / (one + vexp(-z))
    p = splat(b.share_exploration) + splat(1 - 2 * b.share_exploration) * q
    share = less(u_share, p)
    forced = splati(0)
    if b.order_share.at != NULL:
        ordered = ldb(b.order_share, i)
        forced = atleast(ordered, splati(0))
        share = picki(forced, same(ordered, splati(1)), share)
    y = splat(1 - 2 * b.share_exploration) * q * (one - q) / pick(share, p, p - one)
    y = only(both(here, negate(forced)), y)
    st(b.share_eligibility, 0, i, ld(b.share_eligibility, 0, i) * splat(b.trace_decay) + y)
    for f in range(1, b.G):
        st(b.share_eligibility, f, i, ld(b.share_eligibility, f, i) * splat(b.trace_decay)
           + y * ld(b.share_feature, f - 1, i))
    share = both(share, here)
    stb(b.shared, i, both(share, splati(1)))
    sts(b.task, i, picki(here, chosen, splati(-1)))
    # produce, practise, forget
    for k in range(K):
        is_it = both(here, same(chosen, splati(<int32_t>k)))
        q = ld(b.skill, k, i)
        y = ld(b.supply, k, i) * ld(b.capability, 0, i) * splat(b.yield_) * (one + splat(b.skill_gain) * q * q)
        if b.depletion > 0:
            z = ld(b.richness, k, i)
            y = only(is_it, y * z)
            z = vmax(zero, z - splat(b.depletion) * y)
            if b.depletion_law == 0:
                z += splat(b.regrowth) * (one - z)
            else:
                z += splat(b.regrowth) * z * (one - z)
            st(b.richness, k, i, z)
        else:
            y = only(is_it, y)
        x = dadd(ldd(b.stock, k, i), wide(y))
        std(b.stock, k, i, x)
        refd(b.account, PRODUCED * K + k, s)[0] += total(wide(y))
        q = pick(is_it, q + splat(b.skill_up) * (one - q), q - splat(b.skill_down) * q)
        st(b.skill, k, i, only(here, q))
        st(b.deficit, k, i, only(here, vmax(zero, ld(b.reserve, k, i) - narrow(x))))
    for m in range(M):
        is_it = both(here, same(chosen, splati(<int32_t>m)))
        st(b.task_counts, m, i, ld(b.task_counts, m, i) * splat(b.task_memory) + only(is_it, one))


cdef void act(const Book* b, int64_t s, char* scratch) noexcept nogil:
    """Sense, draw a task and whether to share, produce; eligibilities of both draws."""
    cdef int64_t i, c
    for c in range(BLOCKS):
        i = s * LANES + c * W
        if b.K == 3 and b.M == 3 and b.F == 7:      # the usual case, unrolled by the compiler
            act_block(b, s, i, <vf*>scratch, 3, 3, 7)
        else:
            act_block(b, s, i, <vf*>scratch, b.K, b.M, b.F)


# -- pass 4: share ------------------------------------------------------------------------

cdef void offer(const Book* b, int64_t s, char* scratch) noexcept nogil:
    """Donor: sent_k = min(surplus, D_k) where T_k > 0; offer ρ_k = sent_k / T_k."""
    cdef int64_t i, c, k, t, base, deg = (b.out_ptr[s + 1] - b.out_ptr[s]) // LANES
    cdef vi share, j
    cdef vl sharing
    cdef vf bond, lacking, given
    cdef vd demand, weighted, x, sent
    for c in range(BLOCKS):
        i = s * LANES + c * W
        share = negate(same(ldb(b.shared, i), splati(0)))
        base = b.out_ptr[s] + i - s * LANES
        given = splat(0)
        if not any(share):
            for k in range(b.K):
                std(b.offer, k, i, splatd(0))
            st(b.given, 0, i, given)
            continue
        sharing = widem(share)
        for k in range(b.K):
            demand = splatd(0)
            weighted = splatd(0)
            for t in range(deg):
                j = ldi(b.out_index, base + t * LANES)
                bond = ld(b.bond, 0, base + t * LANES)
                if b.slot_weight.at != NULL:
                    bond = bond * ld(b.slot_weight, 0, base + t * LANES)
                lacking = gather(b.deficit, k, j)
                demand = dadd(demand, wide(only(more(bond, splat(0)), lacking)))
                weighted = dadd(weighted, dmul(wide(bond), wide(lacking)))
            x = ldd(b.stock, k, i)
            sent = vmind(vmaxd(splatd(0), dsub(x, wide(ld(b.reserve, k, i)))), demand)
            sent = onlyd(mored(weighted, splatd(0)), onlyd(sharing, sent))
            std(b.stock, k, i, dsub(x, sent))
            std(b.offer, k, i, ddiv(sent, pickd(mored(weighted, splatd(0)), weighted, splatd(1))))
            given += narrow(sent)
        st(b.given, 0, i, given)


cdef inline void receive_block(const Book* b, int64_t s, int64_t i, vd* received,
                               const int64_t K) noexcept nogil:
    cdef int64_t k, t, slot, deg = (b.in_ptr[s + 1] - b.in_ptr[s]) // LANES
    cdef int64_t base = b.in_ptr[s] + i - s * LANES
    cdef vi here = negate(same(ldb(b.occupied, i), splati(0)))
    cdef vi giver, out
    cdef vf bond, one = splat(1), zero = splat(0)
    cdef vf need, burned, h, harm, eaten, welfare, count, p = splat(b.complementarity)
    cdef vd flow, through, x, u, gone
    for k in range(K):
        received[k] = splatd(0)
    for t in range(deg):
        slot = base + t * LANES
        giver = ldi(b.in_index, slot)
        out = ldi(b.in_to_out, slot)
        bond = gather(b.bond, 0, out)
        if b.slot_weight.at != NULL:
            bond = bond * gather(b.slot_weight, 0, out)
        through = splatd(0)
        for k in range(K):
            flow = dmul(dmul(gatherd(b.offer, k, giver), wide(bond)), wide(ld(b.deficit, k, i)))
            received[k] = dadd(received[k], flow)
            through = dadd(through, flow)
            if b.ledger:
                std(b.ledger_total, k, slot, dadd(ldd(b.ledger_total, k, slot), flow))
        st(b.trace, 0, slot, ld(b.trace, 0, slot) * splat(b.memory) + narrow(through))
    # metabolise: burn, spoil, welfare
    eaten = zero
    count = zero
    welfare = one if b.leontief else zero
    for k in range(K):
        x = dadd(ldd(b.stock, k, i), dmul(received[k], splatd(1 - b.loss)))
        refd(b.account, LOST * K + k, s)[0] += total(received[k]) * b.loss
        need = ld(b.need, k, i)
        u = vmind(x, wide(need))
        x = dsub(x, u)
        gone = dmul(x, ldd(b.spoilage, k, i))
        std(b.stock, k, i, dsub(x, gone))
        refd(b.account, BURNED * K + k, s)[0] += total(u)
        refd(b.account, SPOILED * K + k, s)[0] += total(gone)
        burned = narrow(u)
        eaten += burned
        h = burned / pick(more(need, zero), need, one)
        harm = ld(b.harm, k, i)
        h = pick(more(harm, zero), one - h, h)
        h = vmin(vmax(h, zero), one)
        if b.leontief:
            welfare = pick(more(need, zero), vmin(welfare, h), welfare)
        else:
            if b.geometric:
                h = pick(more(h, zero), vlog(vmax(h, splat(1e-37))), splat(-1e30))
            elif b.complementarity != 1:
                h = pick(more(h, zero), vexp(p * vlog(vmax(h, splat(1e-37)))),
                         zero if b.complementarity > 0 else splat(1e30))
            welfare += only(more(need, zero), h)
        count += only(more(need, zero), one)
    if not b.leontief:
        welfare = welfare / vmax(count, one)
        if b.geometric:
            welfare = only(more(welfare, splat(-80)), vexp(welfare))
        elif b.complementarity != 1:
            h = vmax(welfare, splat(1e-37))
            welfare = only(both(more(welfare, zero), less(welfare, splat(1e28))), vexp(vlog(h) / p))
        welfare = pick(more(count, zero), vmin(welfare, one), one)
    welfare -= splat(b.share_cost) * ld(b.given, 0, i)
    if b.work_cost > 0:
        h = splat(b.work_cost)
        if b.rest:
            h = only(negate(same(lds(b.task, i), splati(<int32_t>K))), h)
        welfare -= h
    st(b.welfare, 0, i, only(here, welfare))
    st(b.consumption, 0, i, ld(b.consumption, 0, i) * splat(b.memory) + eaten)


cdef void receive(const Book* b, int64_t s, char* scratch) noexcept nogil:
    """Receiver: f = ρ b d along every in-tie; then burn, spoil and the welfare of it (pass 5)."""
    cdef int64_t i, c
    for c in range(BLOCKS):
        i = s * LANES + c * W
        if b.K == 3:
            receive_block(b, s, i, <vd*>scratch, 3)
        else:
            receive_block(b, s, i, <vd*>scratch, b.K)


# -- pass 6: appraise ------------------------------------------------------------------

cdef void walk(const Book* b, int64_t s, char* scratch) noexcept nogil:
    """Others' welfare over walks of 1…horizon steps, self excluded; NaN where there is nobody.

    Row i of Aˡ is carried forward as a distribution over sites: mass[j] after l
    steps from i. Scalar, for care of kin and for horizon > 1 only.
    """
    cdef int64_t n = (b.slices + 1) * LANES
    cdef double* mass = <double*>(scratch + b.walk_offset)
    cdef double* then = mass + n
    cdef int64_t* touched = <int64_t*>(then + n)
    cdef int64_t* next_touched = touched + n
    cdef int64_t i, l, a, j, c, count, next_count, here
    cdef double others, mean, term
    for i in range(s * LANES, (s + 1) * LANES):
        ref(b.others, 0, i)[0] = NAN
        if not refb(b.occupied, i)[0]:
            continue
        mass[i] = 1
        touched[0] = i
        count = 1
        mean = 0
        term = 0                              # number of terms in the mean over l
        for l in range(b.horizon):
            next_count = 0
            for c in range(count):
                next_count = step_from(b, touched[c], mass[touched[c]], then, next_touched, next_count)
                mass[touched[c]] = 0
            mass, then = then, mass
            touched, next_touched = next_touched, touched
            count = next_count
            if 1 - mass[i] > 1e-9:
                others = 0
                for c in range(count):
                    j = touched[c]
                    if j != i:
                        others += mass[j] * ref(b.welfare, 0, j)[0]
                mean += others / (1 - mass[i])
                term += 1
        for c in range(count):
            mass[touched[c]] = 0
        if term > 0:
            ref(b.others, 0, i)[0] = <float>(mean / term)


cdef inline int64_t step_from(const Book* b, int64_t a, double mass, double* then, int64_t* touched,
                              int64_t count) noexcept nogil:
    """Spread ``mass`` from a over row a of A; a member with nobody to care for keeps it."""
    cdef int64_t s = a // LANES, o = a % LANES, t, j
    cdef bint inward = b.care_kind == INTERDEPENDENCE
    cdef const int64_t* ptr = b.in_ptr if inward else b.out_ptr
    cdef int64_t deg = (ptr[s + 1] - ptr[s]) // LANES
    cdef double weight, norm = 0
    cdef int64_t slot
    for t in range(deg):
        norm += care_weight(b, a, ptr[s] + t * LANES + o, inward)
    if norm <= 0:
        if then[a] == 0:
            touched[count] = a
            count += 1
        then[a] += mass
        return count
    for t in range(deg):
        slot = ptr[s] + t * LANES + o
        weight = care_weight(b, a, slot, inward)
        if weight > 0:
            weight = mass * (weight / norm)
            if weight == 0:                   # a walk too unlikely to represent
                continue
            j = refi(b.in_index if inward else b.out_index, slot)[0]
            if then[j] == 0:
                touched[count] = j
                count += 1
            then[j] += weight
    return count


cdef inline double care_weight(const Book* b, int64_t a, int64_t slot, bint inward) noexcept nogil:
    cdef int64_t j
    if inward:
        return ref(b.trace, 0, slot)[0]
    j = refi(b.out_index, slot)[0]
    if not refb(b.occupied, j)[0]:
        return 0
    return b.founder[j] == b.founder[a] if b.care_kind == KIN else 1


# -- passes 6 and 7: appraise, learn, adapt bonds -------------------------------------------

cdef inline void learn_block(const Book* b, int64_t s, int64_t i, const int64_t MF) noexcept nogil:
    cdef int64_t t, f, slot, base = b.in_ptr[s] + i - s * LANES
    cdef int64_t deg = (b.in_ptr[s + 1] - b.in_ptr[s]) // LANES
    cdef vi here = negate(same(ldb(b.occupied, i), splati(0)))
    cdef vi cares, mutual
    cdef vf zero = splat(0), one = splat(1), w = ld(b.welfare, 0, i), kappa = ld(b.care, 0, i)
    cdef vf imports = zero, others = zero, trace, eaten, r, advantage, bond, target, back
    if b.care_kind == INTERDEPENDENCE or b.bond_rate > 0:
        for t in range(deg):
            slot = base + t * LANES
            trace = ld(b.trace, 0, slot)
            imports += trace
            if b.care_kind == INTERDEPENDENCE and b.horizon == 1:
                others += trace * gather(b.welfare, 0, ldi(b.in_index, slot))
    # appraise: r = (1 - kappa) w + kappa (others' welfare)
    if b.care_kind == INTERDEPENDENCE:
        eaten = ld(b.consumption, 0, i)
        target = pick(more(eaten, zero), imports / pick(more(eaten, zero), eaten, one),
                      only(more(imports, zero), splat(b.saturation)))
        kappa = kappa * vmin(one, target / splat(b.saturation))
        cares = more(imports, zero)
        others = others / pick(cares, imports, one)
    elif b.care_kind == NEIGHBOURS and b.horizon == 1:
        eaten = ld(b.neighbours, 0, i)
        cares = more(eaten, zero)
        for t in range((b.out_ptr[s + 1] - b.out_ptr[s]) // LANES):
            others += gather(b.welfare, 0, ldi(b.out_index, b.out_ptr[s] + i - s * LANES + t * LANES))
        others = others / vmax(eaten, one)
    elif b.care_kind == WHOLE:
        cares = splati(-1 if b.n_alive > 1 else 0)
        others = splat(b.mean_welfare)
    else:
        cares = splati(0)
    if b.care_kind == KIN or (b.horizon > 1 and b.care_kind != SELF and b.care_kind != WHOLE):
        others = ld(b.others, 0, i)
        cares = number(others)
        others = only(cares, others)
    kappa = only(cares, kappa)
    r = (one - kappa) * w + kappa * others
    r = only(here, r)
    st(b.appraisal, 0, i, r)
    # learn: theta += rate * advantage * e, clipped
    eaten = ld(b.baseline, 0, i)
    advantage = r - eaten
    st(b.baseline, 0, i, only(here, eaten + splat(b.baseline_rate) * advantage))
    advantage = only(here, advantage * ld(b.learning_rate, 0, i))
    for f in range(MF):
        r = ld(b.policy, f, i) + advantage * ld(b.eligibility, f, i)
        st(b.policy, f, i, vmax(vmin(r, splat(b.task_bound)), splat(-b.task_bound)))
    for f in range(b.G):
        r = ld(b.share_policy, f, i) + advantage * ld(b.share_eligibility, f, i)
        st(b.share_policy, f, i, vmax(vmin(r, splat(b.share_bound)), splat(-b.share_bound)))
    # bonds: the factor of i→j moves towards n L_ji / Σ L_j'i over i's reciprocated ties
    if b.bond_rate <= 0:
        return
    if b.directed:
        imports = zero
        base = b.out_ptr[s] + i - s * LANES
        deg = (b.out_ptr[s + 1] - b.out_ptr[s]) // LANES
        for t in range(deg):
            imports += gather(b.trace, 0, ldi(b.mate, base + t * LANES))
    target = only(more(imports, zero), ld(b.mutual if b.directed else b.neighbours, 0, i) / pick(more(imports, zero), imports, one))
    for t in range(deg):
        slot = base + t * LANES
        back = gather(b.trace, 0, ldi(b.mate, slot)) if b.directed else ld(b.trace, 0, slot)
        bond = ld(b.bond, 0, slot)
        back = pick(more(imports, zero), back * target, one)
        back = vmax(bond + splat(b.bond_rate) * (back - bond), splat(b.bond_floor))
        if b.directed:
            mutual = negate(same(ldi(b.mate, slot), splati(<int32_t>b.in_ptr[b.slices])))
            back = pick(mutual, back, bond)
        if b.any_empty:
            back = pick(same(gatherb(b.occupied, ldi(b.out_index, slot)), splati(0)), bond, back)
            back = pick(here, back, bond)
        st(b.bond, 0, slot, back)


cdef void learn(const Book* b, int64_t s, char* scratch) noexcept nogil:
    """Appraise, move both policies and the baseline, adapt the bonds."""
    cdef int64_t i, c
    for c in range(BLOCKS):
        i = s * LANES + c * W
        if b.M * b.F == 21:
            learn_block(b, s, i, 21)
        else:
            learn_block(b, s, i, b.M * b.F)


# -- pass 8: reap and breed --------------------------------------------------------------

cdef void fade(const Book* b, int64_t s, char* scratch) noexcept nogil:
    """Move vitality towards welfare and draw who dies; the deaths follow on one thread."""
    cdef int64_t i, c
    cdef vi here
    cdef vf v, one = splat(1)
    cdef vu word[4]
    for c in range(BLOCKS):
        i = s * LANES + c * W
        here = negate(same(ldb(b.occupied, i), splati(0)))
        v = ld(b.vitality, 0, i)
        v = v + splat(b.vitality_rate) * (vmax(splat(0), ld(b.welfare, 0, i)) - v)
        v = only(here, v)
        st(b.vitality, 0, i, v)
        vphilox(<uint32_t>b.tick, DEATH, b.seed0, b.seed1, ldu(b.key, 0, i), ldu(b.key, 1, i), word)
        here = both(here, less(unit(word[0]), splat(b.hazard) * (one + splat(b.frailty) * (one - v))))
        stb(b.doomed, i, both(here, splati(1)))


cdef inline void draw(const Book* b, uint32_t when, uint32_t stream, uint32_t key0, uint32_t key1,
                      uint32_t* word) noexcept nogil:
    """One Philox block of a stream."""
    word[0] = when
    word[1] = stream
    word[2] = b.seed0
    word[3] = b.seed1
    philox(word, key0, key1)


cdef inline void normals(uint32_t w0, uint32_t w1, double* out) noexcept nogil:
    """Two standard normals of two words (Box and Muller 1958)."""
    cdef double r = sqrt(-2 * log((w0 + 1.0) / 4294967296.0)), a = 6.283185307179586 * (w1 / 4294967296.0)
    out[0] = r * cos(a)
    out[1] = r * cos(a - 1.5707963267948966)


cdef void start_row(const Book* b, int64_t i) noexcept nogil:
    """Give row i what every member starts with; key, uid and stock are the caller's."""
    cdef int64_t f, k, m, p = b.M * b.F
    cdef double z[2]
    cdef uint32_t word[4]
    refb(b.occupied, i)[0] = 1
    refi(b.age, i)[0] = 0
    refi(b.births, i)[0] = 0
    refs(b.task, i)[0] = -1
    refb(b.shared, i)[0] = 0
    for f in range(p):
        if f % 4 == 0:
            draw(b, <uint32_t>(f // 4), START_POLICY, refu(b.key, 0, i)[0], refu(b.key, 1, i)[0], word)
        if f % 2 == 0:
            normals(word[f % 4], word[f % 4 + 1], z)
        ref(b.policy, f, i)[0] = <float>(b.policy_sd * z[f % 2])
        ref(b.eligibility, f, i)[0] = 0
    for f in range(b.G):
        ref(b.share_policy, f, i)[0] = 0
        ref(b.share_eligibility, f, i)[0] = 0
    for k in range(b.K):
        ref(b.skill, k, i)[0] = b.start_skill
    for m in range(b.M):
        ref(b.task_counts, m, i)[0] = 0
    ref(b.welfare, 0, i)[0] = b.start_welfare
    ref(b.appraisal, 0, i)[0] = b.start_welfare
    ref(b.baseline, 0, i)[0] = b.start_welfare
    ref(b.vitality, 0, i)[0] = b.start_vitality
    ref(b.consumption, 0, i)[0] = 0
    ref(b.given, 0, i)[0] = 0


cdef void clear_row(const Book* b, int64_t i) noexcept nogil:
    """Leave row i empty: zeros, and -1 for identities. Site columns and traits stay."""
    cdef int64_t f, k, m
    refb(b.occupied, i)[0] = 0
    refb(b.shared, i)[0] = 0
    refs(b.task, i)[0] = -1
    refi(b.age, i)[0] = 0
    refi(b.births, i)[0] = 0
    refu(b.key, 0, i)[0] = 0
    refu(b.key, 1, i)[0] = 0
    b.uid[i] = -1
    if b.founder != NULL:
        b.parent_uid[i] = -1
        b.founder[i] = -1
    if b.order_task.at != NULL:
        refs(b.order_task, i)[0] = -1
        refb(b.order_share, i)[0] = -1
    for f in range(b.M * b.F):
        ref(b.policy, f, i)[0] = 0
        ref(b.eligibility, f, i)[0] = 0
    for f in range(b.G):
        ref(b.share_policy, f, i)[0] = 0
        ref(b.share_eligibility, f, i)[0] = 0
    for k in range(b.K):
        refd(b.stock, k, i)[0] = 0
        ref(b.skill, k, i)[0] = 0
    for m in range(b.M):
        ref(b.task_counts, m, i)[0] = 0
    ref(b.welfare, 0, i)[0] = 0
    ref(b.appraisal, 0, i)[0] = 0
    ref(b.baseline, 0, i)[0] = 0
    ref(b.vitality, 0, i)[0] = 0
    ref(b.consumption, 0, i)[0] = 0
    ref(b.given, 0, i)[0] = 0


cdef inline int64_t in_slot_of(const Book* b, int64_t giver, int64_t out, int64_t receiver) noexcept nogil:
    """Return the in-slot, at the receiver, of the tie whose out-slot is given."""
    cdef int64_t s, t, slot
    if not b.directed:
        return refi(b.in_to_out, out)[0]
    s = receiver // LANES
    for t in range((b.in_ptr[s + 1] - b.in_ptr[s]) // LANES):
        slot = b.in_ptr[s] + t * LANES + receiver % LANES
        if refi(b.in_index, slot)[0] == giver:
            return slot
    return b.in_ptr[b.slices]


cdef inline void count_neighbour(const Book* b, int64_t i, float step) noexcept nogil:
    """Tell i's givers that it came (1) or went (-1)."""
    cdef int64_t s = i // LANES, t, slot, giver, out
    for t in range((b.in_ptr[s + 1] - b.in_ptr[s]) // LANES):
        slot = b.in_ptr[s] + t * LANES + i % LANES
        giver = refi(b.in_index, slot)[0]
        if giver >= b.slices * LANES:
            continue
        ref(b.neighbours, 0, giver)[0] += step
        if b.directed:                         # otherwise every tie is mutual
            out = refi(b.in_to_out, slot)[0]
            if refi(b.mate, out)[0] != b.in_ptr[b.slices]:
                ref(b.mutual, 0, giver)[0] += step


cdef inline void reset_ties(Kernel kernel, const Book* b, int64_t i, bint born) noexcept nogil:
    """Clear the traces of all ties of i (closing its accounts first), or renew its bonds at birth."""
    cdef int64_t s = i // LANES, o = i % LANES, t, slot, other
    for t in range((b.in_ptr[s + 1] - b.in_ptr[s]) // LANES):
        slot = b.in_ptr[s] + t * LANES + o
        other = refi(b.in_index, slot)[0]
        if other >= b.slices * LANES:
            continue
        if born:
            ref(b.bond, 0, refi(b.in_to_out, slot)[0])[0] = 1
        else:
            close_tie(kernel, b, other, i, slot)
    for t in range((b.out_ptr[s + 1] - b.out_ptr[s]) // LANES):
        slot = b.out_ptr[s] + t * LANES + o
        other = refi(b.out_index, slot)[0]
        if other >= b.slices * LANES:
            continue
        if born:
            ref(b.bond, 0, slot)[0] = 1
        else:
            close_tie(kernel, b, i, other, in_slot_of(b, i, slot, other))


cdef inline void close_tie(Kernel kernel, const Book* b, int64_t giver, int64_t receiver,
                           int64_t slot) noexcept nogil:
    """Clear a tie's trace; with a ledger, move its exact total to the closed accounts."""
    cdef int64_t k
    cdef double sum = 0
    ref(b.trace, 0, slot)[0] = 0
    if not b.ledger:
        return
    for k in range(b.K):
        sum += refd(b.ledger_total, k, slot)[0]
    if sum > 0 and kernel.room_for_closed():
        kernel.closed_uids[2 * kernel.n_closed] = b.uid[giver]
        kernel.closed_uids[2 * kernel.n_closed + 1] = b.uid[receiver]
        for k in range(b.K):
            kernel.closed_amounts[kernel.n_closed * b.K + k] = refd(b.ledger_total, k, slot)[0]
        kernel.n_closed += 1
    for k in range(b.K):
        refd(b.ledger_total, k, slot)[0] = 0


cdef class Kernel:
    """The arrays of one world and the compiled tick over them.

    Attributes are typed memoryviews, set by ``world.py``; :meth:`bind` takes
    their addresses, :meth:`run` advances. Layouts: member planes ``(rows, R)``
    with ``R = LANES · (slices + 1)``; parameters that all sites share
    ``(rows, LANES)``; ties by slot. IN: topology, parameters. OUT: the rest.
    """

    cdef public:
        # IN: sizes, switches and scalar parameters
        int64_t sites, K, M, F, G, tick, n_alive, next_uid
        uint64_t seed
        int perception, cue, rest, horizon, care_kind, leontief, inherit_policy, global_parents
        int directed, depletion_law, demography, threads, timed
        double yield_, skill_gain, skill_up, skill_down, work_cost, depletion, regrowth, task_memory
        double complementarity, share_cost, bond_rate, bond_floor, memory, trace_decay, baseline_rate
        double exploration, share_exploration, task_bound, share_bound, saturation, loss
        double hazard, frailty, vitality_rate, refill, selection, mutation_sd
        double start_skill, start_welfare, start_vitality, start_stock, start_spread, policy_sd
        uint32_t mutates
        # IN: topology
        const int64_t[::1] out_ptr, in_ptr, by_id, site_id
        const int32_t[::1] out_index, in_index, in_to_out, mate
        const float[::1] slot_weight
        # OUT: members
        int8_t[::1] occupied, shared, order_share, doomed
        int16_t[::1] task, order_task
        int32_t[::1] age, births
        uint32_t[:, ::1] key
        int64_t[::1] uid, parent_uid, founder
        double[:, ::1] stock, ground, offer, spoilage, account
        float[:, ::1] shortfall, deficit, skill, supply, richness, need, reserve, capability, care
        float[:, ::1] learning_rate, task_counts, policy, eligibility, share_policy, share_eligibility
        float[:, ::1] share_feature, welfare, appraisal, baseline, vitality, consumption, given, others
        float[:, ::1] harm, neighbours, mutual
        # OUT: ties
        float[::1] bond, trace
        double[:, ::1] ledger_total
        # OUT: births and deaths since the world began; seconds spent in each pass
        int64_t n_born, n_died
        double[7] spent
    cdef Book book
    cdef char* scratch
    cdef int64_t scratch_for
    cdef int64_t* wishes            # of each empty site that seeks: site, parent, priority
    cdef int64_t* claim             # per parent: its winning wish, or -1
    cdef int64_t* living
    cdef int64_t room
    cdef int64_t* closed_uids
    cdef double* closed_amounts
    cdef int64_t n_closed, closed_room

    def __dealloc__(self):
        free(self.scratch)
        free(self.wishes)
        free(self.claim)
        free(self.living)
        free(self.closed_uids)
        free(self.closed_amounts)

    cdef bint room_for_closed(self) noexcept nogil:
        cdef int64_t room
        cdef void* p
        if self.n_closed < self.closed_room:
            return True
        room = max(<int64_t>1024, 2 * self.closed_room)
        p = realloc(self.closed_uids, <size_t>(room * 2 * sizeof(int64_t)))
        if p == NULL:
            return False
        self.closed_uids = <int64_t*>p
        p = realloc(self.closed_amounts, <size_t>(room * self.book.K * sizeof(double)))
        if p == NULL:
            return False
        self.closed_amounts = <double*>p
        self.closed_room = room
        return True

    def closed(self, int64_t[:, ::1] uids, double[:, ::1] amounts):
        """Copy the closed accounts out: giver and receiver uids (n, 2), amounts (n, K)."""
        cdef int64_t i, k
        for i in range(min(self.n_closed, uids.shape[0])):
            uids[i, 0] = self.closed_uids[2 * i]
            uids[i, 1] = self.closed_uids[2 * i + 1]
            for k in range(self.K):
                amounts[i, k] = self.closed_amounts[i * self.K + k]

    @property
    def closed_count(self):
        """Number of closed accounts."""
        return self.n_closed

    def reopen(self, const int64_t[:, ::1] uids, const double[:, ::1] amounts):
        """Set the closed accounts, as saved by :meth:`closed`."""
        cdef int64_t i, k
        self.book.K = self.K
        self.n_closed = 0
        for i in range(uids.shape[0]):
            if not self.room_for_closed():
                raise MemoryError("no memory for the closed accounts")
            self.closed_uids[2 * i] = uids[i, 0]
            self.closed_uids[2 * i + 1] = uids[i, 1]
            for k in range(self.K):
                self.closed_amounts[i * self.K + k] = amounts[i, k]
            self.n_closed += 1

    def bind(self):
        """Take the arrays' addresses and the parameters' values; call after any change of either."""
        cdef Book* b = &self.book
        cdef int64_t n = self.out_ptr.shape[0] * LANES, lane_bytes, walk_bytes
        b.slices = self.out_ptr.shape[0] - 1
        b.sites, b.K, b.M, b.F, b.G = self.sites, self.K, self.M, self.F, self.G
        b.seed0 = low(self.seed)
        b.seed1 = high(self.seed)
        b.perception, b.cue, b.rest, b.horizon = self.perception, self.cue, self.rest, self.horizon
        b.care_kind, b.leontief, b.geometric = self.care_kind, self.leontief, self.complementarity == 0
        b.inherit_policy, b.global_parents = self.inherit_policy, self.global_parents
        b.directed, b.ledger, b.depletion_law = self.directed, self.ledger_total is not None, self.depletion_law
        b.yield_, b.skill_gain, b.skill_up = <float>self.yield_, <float>self.skill_gain, <float>self.skill_up
        b.skill_down, b.work_cost = <float>self.skill_down, <float>self.work_cost
        b.depletion, b.regrowth = <float>self.depletion, <float>self.regrowth
        b.task_memory, b.complementarity = <float>self.task_memory, <float>self.complementarity
        b.share_cost, b.bond_rate = <float>self.share_cost, <float>self.bond_rate
        b.bond_floor, b.memory = <float>self.bond_floor, <float>self.memory
        b.trace_decay, b.baseline_rate = <float>self.trace_decay, <float>self.baseline_rate
        b.exploration, b.share_exploration = <float>self.exploration, <float>self.share_exploration
        b.task_bound, b.share_bound = <float>self.task_bound, <float>self.share_bound
        b.saturation, b.loss, b.hazard = <float>self.saturation, self.loss, <float>self.hazard
        b.frailty, b.vitality_rate = <float>self.frailty, <float>self.vitality_rate
        b.refill, b.selection = <float>self.refill, <float>self.selection
        b.mutation_sd, b.mutates = <float>self.mutation_sd, self.mutates
        b.start_skill, b.start_welfare = <float>self.start_skill, <float>self.start_welfare
        b.start_vitality, b.start_stock = <float>self.start_vitality, self.start_stock
        b.start_spread, b.policy_sd = self.start_spread, self.policy_sd
        b.occupied, b.shared = p8(self.occupied), p8(self.shared)
        b.order_share, b.doomed = p8(self.order_share), p8(self.doomed)
        b.task, b.order_task = p16(self.task), p16(self.order_task)
        b.age, b.births, b.key = p32(self.age), p32(self.births), pu(self.key)
        b.uid, b.parent_uid, b.founder = pm(self.uid), pm(self.parent_uid), pm(self.founder)
        b.stock, b.ground, b.offer = pd(self.stock), pd(self.ground), pd(self.offer)
        b.spoilage, b.account = pd(self.spoilage), pd(self.account)
        b.account.step = 1
        b.shortfall, b.deficit, b.skill = pf(self.shortfall), pf(self.deficit), pf(self.skill)
        b.supply, b.richness, b.need = pf(self.supply), pf(self.richness), pf(self.need)
        b.reserve, b.capability, b.care = pf(self.reserve), pf(self.capability), pf(self.care)
        b.learning_rate, b.task_counts = pf(self.learning_rate), pf(self.task_counts)
        b.policy, b.eligibility = pf(self.policy), pf(self.eligibility)
        b.share_policy, b.share_eligibility = pf(self.share_policy), pf(self.share_eligibility)
        b.share_feature, b.welfare = pf(self.share_feature), pf(self.welfare)
        b.appraisal, b.baseline, b.vitality = pf(self.appraisal), pf(self.baseline), pf(self.vitality)
        b.consumption, b.given, b.others = pf(self.consumption), pf(self.given), pf(self.others)
        b.harm, b.neighbours, b.mutual = pf(self.harm), pf(self.neighbours), pf(self.mutual)
        b.out_ptr, b.in_ptr = pl(self.out_ptr), pl(self.in_ptr)
        b.out_index, b.in_index = pc32(self.out_index), pc32(self.in_index)
        b.in_to_out, b.mate = pc32(self.in_to_out), pc32(self.mate)
        b.bond, b.trace = pf1(self.bond), pf1(self.trace)
        b.slot_weight = pcf1(self.slot_weight)
        b.ledger_total = pd(self.ledger_total)
        b.by_id, b.site_id = pl(self.by_id), pl(self.site_id)
        # scratch: lanes of features, probabilities and amounts, then the walkers' arrays
        lane_bytes = ((self.F + self.M) * sizeof(vf) + self.K * sizeof(vd) + 63) // 64 * 64
        walk_bytes = 4 * n * 8 if self.care_kind == KIN or self.horizon > 1 else 0
        b.walk_offset = lane_bytes
        b.scratch_bytes = (lane_bytes + walk_bytes + 255) // 64 * 64
        free(self.scratch)
        self.scratch = <char*>malloc(<size_t>(b.scratch_bytes * max(1, self.threads) + 64))
        if self.scratch == NULL:
            raise MemoryError(f"no memory for the scratch space of {self.threads} threads")
        memset(self.scratch, 0, <size_t>(b.scratch_bytes * max(1, self.threads) + 64))
        b.scratch = <char*>((<uint64_t>self.scratch + 63) & ~<uint64_t>63)
        if self.demography and self.room != self.sites:
            free(self.wishes)
            free(self.claim)
            free(self.living)
            self.wishes = <int64_t*>malloc(<size_t>(3 * self.sites * sizeof(int64_t)))
            self.claim = <int64_t*>malloc(<size_t>(self.sites * sizeof(int64_t)))
            self.living = <int64_t*>malloc(<size_t>(self.sites * sizeof(int64_t)))
            if self.wishes == NULL or self.claim == NULL or self.living == NULL:
                raise MemoryError(f"no memory for the births of {self.sites} sites")
            self.room = self.sites

    def run(self, int64_t n):
        """Advance ``n`` ticks without the GIL."""
        cdef int64_t t
        global lanes_fault
        with nogil:
            for t in range(n):
                self.one_tick()
        if lanes_fault:
            line, lanes_fault = lanes_fault, 0
            raise SystemError(f"the kernel reached outside an array (_lanes.h, line {line})")

    cdef void lap(self, int which, double* clock) noexcept nogil:
        cdef double now
        if self.timed:
            now = seconds()
            self.spent[which] += now - clock[0]
            clock[0] = now

    cdef void one_tick(self) noexcept nogil:
        cdef Book* b = &self.book
        cdef int64_t r, i
        cdef double clock = 0, sum = 0
        cdef int threads = self.threads
        cdef int16_t no_task = -1
        b.tick, b.n_alive = self.tick, self.n_alive
        b.any_empty = self.n_alive < self.sites
        if self.timed:
            clock = seconds()
        sweep(b, sense, threads)
        for r in range(b.K):                   # shortfall and offer share memory, so the sentinels'
            for i in range(b.slices * LANES, (b.slices + 1) * LANES):    # zeros are written again
                ref(b.shortfall, r, i)[0] = 0
        self.lap(0, &clock)
        sweep(b, act, threads)
        self.lap(1, &clock)
        sweep(b, offer, threads)
        for r in range(b.K):
            for i in range(b.slices * LANES, (b.slices + 1) * LANES):
                refd(b.offer, r, i)[0] = 0
        self.lap(2, &clock)
        sweep(b, receive, threads)
        self.lap(3, &clock)
        if b.care_kind == WHOLE:
            for r in range(b.sites):
                sum += ref(b.welfare, 0, site_at(b, r))[0]     # empty sites hold 0
            b.mean_welfare = <float>(sum / max(<int64_t>1, b.n_alive))
        elif b.care_kind == KIN or (b.horizon > 1 and b.care_kind != SELF):
            sweep(b, walk, threads)
        self.lap(4, &clock)
        sweep(b, learn, threads)
        self.lap(5, &clock)
        if self.demography:
            sweep(b, fade, threads)
            self.reap()
            if b.refill > 0 and self.n_alive < self.sites:
                self.breed()
        for i in range(b.sites):
            if refb(b.occupied, i)[0]:
                refi(b.age, i)[0] += 1
        self.lap(6, &clock)
        self.tick += 1

    # -- one member comes or goes, on one thread ----------------------------------------

    cdef void reap(self) noexcept nogil:
        """Bury the doomed: stock to the ground, ties closed, row cleared."""
        cdef Book* b = &self.book
        cdef int64_t r, i, k
        for r in range(b.sites):
            i = site_at(b, r)
            if not refb(b.doomed, i)[0]:
                continue
            for k in range(b.K):
                refd(b.ground, k, i)[0] += refd(b.stock, k, i)[0]
            self.vacate(i)
            self.n_died += 1

    cdef void vacate(self, int64_t i) noexcept nogil:
        cdef Book* b = &self.book
        reset_ties(self, b, i, False)
        clear_row(b, i)
        count_neighbour(b, i, -1)
        self.n_alive -= 1

    cdef void settle(self, int64_t i, uint32_t key0, uint32_t key1) noexcept nogil:
        """Put a member that starts anew at empty site i; parentage and stock are the caller's."""
        cdef Book* b = &self.book
        refu(b.key, 0, i)[0] = key0
        refu(b.key, 1, i)[0] = key1
        start_row(b, i)
        b.uid[i] = self.next_uid
        if b.founder != NULL:
            b.parent_uid[i] = -1
            b.founder[i] = self.next_uid
        self.next_uid += 1
        reset_ties(self, b, i, True)
        count_neighbour(b, i, 1)
        self.n_alive += 1

    def found(self, int64_t i, bint with_stock):
        """Settle a founder (or a member added from outside) at empty site ``i``."""
        cdef uint32_t word[4]
        cdef uint32_t key0, key1
        cdef int64_t k
        cdef Book* b = &self.book
        draw(b, <uint32_t>self.tick, FOUNDER, low(id_of(b, i)),
             high(id_of(b, i)), word)
        key0, key1 = word[0], word[1]
        self.settle(i, key0, key1)
        if with_stock:
            for k in range(b.K):
                if k % 4 == 0:
                    draw(b, <uint32_t>(k // 4), START_STOCK, key0, key1, word)
                refd(b.stock, k, i)[0] = b.start_stock + b.start_spread * <double>unit1(word[k % 4])

    def found_all(self, bint with_stock):
        """Settle a founder at every site marked in ``occupied``, in permanent-id order."""
        cdef int64_t r, i
        cdef Book* b = &self.book
        for r in range(self.sites):
            i = site_at(b, r)
            if self.occupied[i]:
                self.found(i, with_stock)

    def leave(self, int64_t i):
        """Clear site ``i``; what its member held is the caller's to account for."""
        self.vacate(i)

    cdef void breed(self) noexcept nogil:
        """Refill empty sites: each seeker draws a parent, each parent takes one site."""
        cdef Book* b = &self.book
        cdef int64_t r, c, i, wishes = 0, n_living = 0, n, s, t, other, parent
        cdef uint32_t word[4]
        cdef double sum, cut
        cdef uint32_t id0, id1
        cdef bint uniform
        for r in range(b.sites):
            i = site_at(b, r)
            self.claim[i] = -1
            if refb(b.occupied, i)[0]:
                self.living[n_living] = i
                n_living += 1
        if n_living == 0:
            return
        for r in range(b.sites):
            i = site_at(b, r)
            if refb(b.occupied, i)[0]:
                continue
            id0 = low(id_of(b, i))
            id1 = high(id_of(b, i))
            draw(b, <uint32_t>b.tick, REFILL, id0, id1, word)
            if not unit1(word[0]) < b.refill:
                continue
            parent = self.draw_parent(i, id0, id1, unit1(word[1]), n_living)
            if parent < 0:
                continue
            self.wishes[3 * wishes] = i
            self.wishes[3 * wishes + 1] = parent
            self.wishes[3 * wishes + 2] = word[2]
            c = self.claim[parent]
            if c < 0 or self.wishes[3 * c + 2] < word[2]:      # ties go to the lower site id
                self.claim[parent] = wishes
            wishes += 1
        for c in range(wishes):
            if self.claim[self.wishes[3 * c + 1]] == c:
                self.give_birth(self.wishes[3 * c + 1], self.wishes[3 * c])

    cdef int64_t draw_parent(self, int64_t i, uint32_t id0, uint32_t id1, float u,
                             int64_t n_living) noexcept nogil:
        """Draw a parent ∝ vitality^selection among the candidates of empty site i; -1 if none."""
        cdef Book* b = &self.book
        cdef int64_t s = i // LANES, t, n = 0, candidate, pass_
        cdef int64_t deg = (b.in_ptr[s + 1] - b.in_ptr[s]) // LANES
        cdef double sum = 0, cut, weight
        cdef uint32_t word[4]
        for t in range(deg):
            candidate = refi(b.in_index, b.in_ptr[s] + t * LANES + i % LANES)[0]
            if refb(b.occupied, candidate)[0]:
                n += 1
                sum += pow(ref(b.vitality, 0, candidate)[0], b.selection)
        if b.global_parents:
            n = max(<int64_t>1, n)
            sum = 0
            for t in range(n):
                sum += pow(ref(b.vitality, 0, self.anyone(t, id0, id1, n_living))[0], b.selection)
        if n == 0:
            return -1
        cut = u * (sum if sum > 0 else <double>n)
        pass_ = -1
        for t in range(n if b.global_parents else deg):
            if b.global_parents:
                candidate = self.anyone(t, id0, id1, n_living)
            else:
                candidate = refi(b.in_index, b.in_ptr[s] + t * LANES + i % LANES)[0]
                if not refb(b.occupied, candidate)[0]:
                    continue
            weight = pow(ref(b.vitality, 0, candidate)[0], b.selection) if sum > 0 else 1
            if weight > 0:
                pass_ = candidate              # the last possible one, should rounding overshoot
            cut -= weight
            if cut < 0:
                return candidate
        return pass_

    cdef int64_t anyone(self, int64_t c, uint32_t id0, uint32_t id1, int64_t n_living) noexcept nogil:
        """Return the c-th candidate drawn from all living members for one site."""
        cdef uint32_t word[4]
        draw(&self.book, <uint32_t>self.book.tick, <uint32_t>(CANDIDATE + c), id0, id1, word)
        return self.living[(<uint64_t>word[0] * <uint64_t>n_living) >> 32]

    cdef void give_birth(self, int64_t parent, int64_t i) noexcept nogil:
        cdef Book* b = &self.book
        cdef uint32_t word[4]
        cdef int64_t k, f
        cdef double half
        draw(b, <uint32_t>refi(b.births, parent)[0], BIRTH, refu(b.key, 0, parent)[0],
             refu(b.key, 1, parent)[0], word)
        refi(b.births, parent)[0] += 1
        self.settle(i, word[0], word[1])
        b.parent_uid[i] = b.uid[parent]
        b.founder[i] = b.founder[parent]
        self.n_born += 1
        refi(b.age, i)[0] = -1                 # its first whole tick is the next one
        for k in range(b.K):
            half = refd(b.stock, k, parent)[0] / 2
            refd(b.stock, k, parent)[0] -= half
            refd(b.stock, k, i)[0] = half + refd(b.ground, k, i)[0]
            refd(b.ground, k, i)[0] = 0
            if b.need.step:
                ref(b.need, k, i)[0] = ref(b.need, k, parent)[0]
        inherit(b, b.care, parent, i, 1, 0)
        inherit(b, b.capability, parent, i, 1, 1)
        inherit(b, b.reserve, parent, i, b.K, 2)
        inherit(b, b.learning_rate, parent, i, 1, 3)
        if b.inherit_policy:
            for f in range(b.M * b.F):
                ref(b.policy, f, i)[0] = ref(b.policy, f, parent)[0]
            for f in range(b.G):
                ref(b.share_policy, f, i)[0] = ref(b.share_policy, f, parent)[0]


cdef void inherit(const Book* b, fplane trait, int64_t parent, int64_t i, int64_t rows,
                  uint32_t which) noexcept nogil:
    """Copy a trait to a child; mutate it if chosen: care adds and reflects in [0, 1], others scale."""
    cdef int64_t k
    cdef double z[2]
    cdef double v
    cdef uint32_t word[4]
    if not trait.step:
        return
    draw(b, which, MUTATION, refu(b.key, 0, i)[0], refu(b.key, 1, i)[0], word)
    normals(word[0], word[1], z)
    for k in range(rows):
        v = ref(trait, k, parent)[0]
        if b.mutates >> which & 1:
            if which == 0:
                v += b.mutation_sd * z[0]
                v = v - 2 * floor(v / 2)       # reflect: fold onto [0, 2), then onto [0, 1]
                v = 2 - v if v > 1 else v
            else:
                v *= exp(b.mutation_sd * z[0])
        ref(trait, k, i)[0] = <float>v


# -- addresses ------------------------------------------------------------------------

cdef fplane pf(float[:, ::1] a) noexcept:
    cdef fplane p
    p.at = NULL
    p.len = p.row = p.step = 0
    if a is not None and a.shape[0]:
        p.at, p.row = &a[0, 0], a.shape[1]
        p.len, p.step = a.shape[0] * a.shape[1], a.shape[1] > LANES
    return p


cdef dplane pd(double[:, ::1] a) noexcept:
    cdef dplane p
    p.at = NULL
    p.len = p.row = p.step = 0
    if a is not None and a.shape[0]:
        p.at, p.row = &a[0, 0], a.shape[1]
        p.len, p.step = a.shape[0] * a.shape[1], a.shape[1] > LANES
    return p


cdef uplane pu(uint32_t[:, ::1] a) noexcept:
    cdef uplane p
    p.at, p.row = &a[0, 0], a.shape[1]
    p.len, p.step = a.shape[0] * a.shape[1], 1
    return p


cdef bplane p8(int8_t[::1] a) noexcept:
    cdef bplane p
    p.at = NULL
    p.len = p.row = p.step = 0
    if a is not None:
        p.at, p.len = &a[0], a.shape[0]
    return p


cdef splane p16(int16_t[::1] a) noexcept:
    cdef splane p
    p.at = NULL
    p.len = p.row = p.step = 0
    if a is not None:
        p.at, p.len = &a[0], a.shape[0]
    return p


cdef iplane p32(int32_t[::1] a) noexcept:
    cdef iplane p
    p.at, p.len = &a[0], a.shape[0]
    p.row = p.step = 0
    return p


cdef iplane pc32(const int32_t[::1] a) noexcept:
    cdef iplane p
    p.at = NULL
    p.len = p.row = p.step = 0
    if a is not None:
        p.at, p.len = <int32_t*>&a[0], a.shape[0]
    return p


cdef int64_t* pl(const int64_t[::1] a) noexcept:
    return <int64_t*>&a[0] if a is not None else NULL


cdef int64_t* pm(int64_t[::1] a) noexcept:
    return &a[0] if a is not None else NULL


cdef fplane pf1(float[::1] a) noexcept:
    cdef fplane p
    p.at, p.len = &a[0], a.shape[0]
    p.row, p.step = 0, 1
    return p


cdef fplane pcf1(const float[::1] a) noexcept:
    cdef fplane p
    p.at = NULL
    p.len = p.row = p.step = 0
    if a is not None:
        p.at, p.len = <float*>&a[0], a.shape[0]
        p.step = 1
    return p


# -- randomness, for tests and for Python ------------------------------------------------

def philox_block(counter, key):
    """Return one Philox4x32-10 block.

    Parameters
    ----------
    counter : sequence of 4 ints in [0, 2**32)
    key : sequence of 2 ints in [0, 2**32)

    Returns
    -------
    tuple of 4 ints
    """
    cdef uint32_t word[4]
    word[0], word[1], word[2], word[3] = counter
    philox(word, key[0], key[1])
    return word[0], word[1], word[2], word[3]


def uniforms(uint64_t seed, uint64_t[::1] key, uint32_t tick, uint32_t stream):
    """Return the four uniforms of a stream for each key, through the vector lanes.

    Parameters
    ----------
    seed : int in [0, 2**64)
    key : ndarray of uint64, shape (n,)
    tick, stream : int in [0, 2**32)

    Returns
    -------
    list of n tuples of 4 floats in [0, 1)
    """
    cdef vu k0, k1
    cdef vu word[4]
    cdef vf u
    cdef uint32_t lows[W]
    cdef uint32_t highs[W]
    cdef uplane lo, hi
    cdef float out[4][W]
    cdef fplane o
    cdef int64_t i, c, l, n = key.shape[0], w
    lo.at, hi.at, o.at = &lows[0], &highs[0], &out[0][0]
    lo.len, hi.len, o.len = W, W, 4 * W
    lo.row = lo.step = hi.row = hi.step = 0
    o.row, o.step = W, 0
    rows = []
    for c in range((n + W - 1) // W):
        i = c * W
        for l in range(W):
            lows[l] = low(key[min(i + l, n - 1)])
            highs[l] = high(key[min(i + l, n - 1)])
        k0, k1 = ldu(lo, 0, 0), ldu(hi, 0, 0)
        vphilox(tick, stream, low(seed), high(seed), k0, k1, word)
        for w in range(4):
            u = unit(word[w])
            st(o, w, 0, u)
        for l in range(min(<int64_t>W, n - i)):
            rows.append((out[0][l], out[1][l], out[2][l], out[3][l]))
    return rows
