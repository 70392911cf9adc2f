# Passes 1 to 7, each over one slice, and the sweep that runs a pass over all of them.

cdef inline int64_t site_at(const Book* b, int64_t rank) noexcept nogil:
    """Return the site of the rank-th permanent id."""
    return rank if b.by_id == NULL else b.by_id[rank]


cdef inline uint64_t id_of(const Book* b, int64_t i) noexcept nogil:
    return <uint64_t>(i if b.site_id == NULL else b.site_id[i])


ctypedef void (*Pass)(const Book*, int64_t, char*) noexcept nogil


cdef int forked = 0                # a child of os.fork: its parent's OpenMP threads are gone, and waited for in vain


cdef void sweep(const Book* b, Pass work, int threads) noexcept nogil:
    """Run one pass over all slices."""
    cdef int64_t s
    if threads == 1 or forked:
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
    cdef vi j, chosen, is_it, forced, share, ordered_
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
                j = ldi(b.out_index, base + t * LANES)
                y += pull(b.shortfall, k, j, consecutive(j))
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
        ordered_ = ldb(b.order_share, i)
        forced = atleast(ordered_, splati(0))
        share = picki(forced, same(ordered_, splati(1)), share)
    y = splat(1 - 2 * b.share_exploration) * q * (one - q) / pick(share, p, p - one)
    y = only(both(here, negate(forced)), y)
    st(b.share_eligibility, 0, i, ld(b.share_eligibility, 0, i) * splat(b.trace_decay) + y)
    for f in range(1, b.G):
        st(b.share_eligibility, f, i, ld(b.share_eligibility, f, i) * splat(b.trace_decay)
           + y * ld(b.share_feature, f - 1, i))
    share = both(share, here)
    stb(b.shared, i, both(share, splati(1)))
    # who is ordered to rest where there is no such task does none
    sts(b.task, i, picki(both(here, atleast(splati(<int32_t>(M - 1)), chosen)), chosen, splati(-1)))
    weight = zero                          # made
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
        weight += y
        x = dadd(ldd(b.stock, k, i), wide(y))
        std(b.stock, k, i, x)
        refd(b.account, PRODUCED * K + k, s)[0] += total(wide(y))
        q = pick(is_it, q + splat(b.skill_up) * (one - q), q - splat(b.skill_down) * q)
        st(b.skill, k, i, only(here, q))
        st(b.deficit, k, i, only(here, vmax(zero, narrow(dsub(wide(ld(b.reserve, k, i)), x)))))
    if b.stated:
        st(b.made, 0, i, weight)
    for m in range(M):
        is_it = both(here, same(chosen, splati(<int32_t>m)))
        st(b.task_counts, m, i, ld(b.task_counts, m, i) * splat(b.task_memory) + only(is_it, one))


cdef void act(const Book* b, int64_t s, char* scratch) noexcept nogil:
    """Sense, draw a task and whether to share, produce; eligibilities of both draws."""
    cdef int64_t i, c
    if s + AHEAD < b.slices:
        i = (s + AHEAD) * LANES
        ask_rows(b.policy, b.M * b.F, i)
        ask_rows(b.eligibility, b.M * b.F, i)
        ask_rows(b.skill, b.K, i)
        ask_rows(b.shortfall, b.K, i)
        ask_rows(b.deficit, b.K, i)
        ask_rows(b.task_counts, b.M, i)
        ask_rowsd(b.stock, b.K, i)
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
                lacking = pull(b.deficit, k, j, consecutive(j))
                demand = dadd(demand, wide(only(more(bond, splat(0)), lacking)))
                weighted = dadd(weighted, dmul(wide(bond), wide(lacking)))
            x = ldd(b.stock, k, i)
            sent = vmind(vmaxd(splatd(0), dsub(x, wide(ld(b.reserve, k, i)))), demand)
            sent = onlyd(mored(weighted, splatd(0)), onlyd(sharing, sent))
            std(b.stock, k, i, dsub(x, sent))
            std(b.offer, k, i, ddiv(sent, pickd(mored(weighted, splatd(0)), weighted, splatd(1))))
            given += narrow(sent)
        st(b.given, 0, i, given)


cdef vf power_mean(const Book* b, vf* met, int64_t K, vf count) noexcept nogil:
    """Return (mean h^p)^(1/p) of K satisfactions in each lane; -1 marks a resource that is not needed.

    Relative to the largest (p > 0) or smallest h, no power over- or underflows.
    Near p = 0 the root magnifies rounding, so there it is done in double.
    """
    cdef int64_t k, lane
    cdef float p = b.complementarity
    cdef vf pivot = splat(0 if p > 0 else 2), mean = splat(0), zero = splat(0)
    cdef vi needed
    cdef float* h = <float*>met
    cdef float* out = <float*>&mean
    cdef double sum, top, n
    if p > -0.1 and p < 0.1:
        for lane in range(W):
            top = 0
            sum = 0
            n = 0
            for k in range(K):
                if h[k * W + lane] >= 0:
                    n += 1
                    if h[k * W + lane] > 0:
                        sum += expm1(p * log(<double>h[k * W + lane]))
                    elif p > 0:
                        sum -= 1
                    else:
                        top = 1                # a need wholly unmet
            out[lane] = <float>exp(log1p(sum / n) / p) if n > 0 and sum > -n and top == 0 else 0
        return mean
    for k in range(K):
        needed = negate(less(met[k], zero))
        pivot = pick(needed, vmax(pivot, met[k]) if p > 0 else vmin(pivot, met[k]), pivot)
    needed = more(pivot, zero)
    pivot = pick(needed, pivot, splat(1))
    for k in range(K):
        mean += only(more(met[k], zero), vexp(splat(p) * vlog(vmax(met[k] / pivot, splat(1e-37)))))
    mean = mean / vmax(count, splat(1))
    return only(needed, pivot * vexp(vlog(vmax(mean, splat(1e-37))) / splat(p)))


cdef inline void receive_block(const Book* b, int64_t s, int64_t i, vd* received,
                               const int64_t K) noexcept nogil:
    cdef int64_t k, t, slot, deg = (b.in_ptr[s + 1] - b.in_ptr[s]) // LANES
    cdef int64_t base = b.in_ptr[s] + i - s * LANES
    cdef vi here = negate(same(ldb(b.occupied, i), splati(0)))
    cdef vi giver, out
    cdef bint run
    cdef vf bond, one = splat(1), zero = splat(0)
    cdef vf trace, need, burned, h, harm, eaten, welfare, count, p = splat(b.complementarity)
    cdef vd flow, through, x, u, gone
    cdef vf* met = <vf*>(received + K)
    for k in range(K):
        received[k] = splatd(0)
    for t in range(deg):
        slot = base + t * LANES
        giver = ldi(b.in_index, slot)
        out = ldi(b.in_to_out, slot)
        bond = gather(b.bond, 0, out)
        if b.slot_weight.at != NULL:
            bond = bond * gather(b.slot_weight, 0, out)
        run = consecutive(giver)
        through = splatd(0)
        for k in range(K):
            flow = dmul(dmul(pulld(b.offer, k, giver, run), wide(bond)), wide(ld(b.deficit, k, i)))
            received[k] = dadd(received[k], flow)
            through = dadd(through, flow)
            if b.ledger:
                std(b.ledger_total, k, slot, dadd(ldd(b.ledger_total, k, slot), flow))
        trace = ld(b.trace, 0, slot) * splat(b.memory) + narrow(through)
        st(b.trace, 0, slot, only(more(trace, splat(FORGOTTEN)), trace))
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
        if b.stated:
            st(b.burned, k, i, burned)
        eaten += burned
        h = burned / pick(more(need, zero), need, one)
        harm = ld(b.harm, k, i)
        h = pick(more(harm, zero), one - h, h)
        h = vmin(vmax(h, zero), one)
        if b.leontief:
            welfare = pick(more(need, zero), vmin(welfare, h), welfare)
        elif b.geometric:
            h = pick(more(h, zero), vlog(vmax(h, splat(1e-37))), splat(-1e30))
            welfare += only(more(need, zero), h)
        else:
            welfare += only(more(need, zero), h)
            met[k] = pick(more(need, zero), h, splat(-1))
        count += only(more(need, zero), one)
    if not b.leontief:
        welfare = welfare / vmax(count, one)
        if b.geometric:
            welfare = only(more(welfare, splat(-80)), vexp(welfare))
        elif b.complementarity != 1:
            welfare = power_mean(b, met, K, count)
        welfare = pick(more(count, zero), vmin(welfare, one), one)
    welfare -= splat(b.share_cost) * ld(b.given, 0, i)
    if b.work_cost > 0:
        giver = lds(b.task, i)                 # the last task is rest, and -1 is none
        giver = both(atleast(giver, splati(0)), atleast(splati(<int32_t>K - 1), giver))
        welfare -= only(giver, splat(b.work_cost))
    st(b.welfare, 0, i, only(here, welfare))
    st(b.consumption, 0, i, ld(b.consumption, 0, i) * splat(b.memory) + eaten)


cdef void receive(const Book* b, int64_t s, char* scratch) noexcept nogil:
    """Receiver: f = ρ b d along every in-tie; then burn, spoil and the welfare of it (pass 5)."""
    cdef int64_t i, c
    if s + AHEAD < b.slices:
        i = (s + AHEAD) * LANES
        ask_rows(b.deficit, b.K, i)
        ask_rowsd(b.stock, b.K, i)
    if s + 1 < b.slices:                       # bonds are gathered: ask for the next slice's early
        for c in range((b.in_ptr[s + 2] - b.in_ptr[s + 1]) // LANES):
            ask(b.bond, b.in_to_out, b.in_ptr[s + 1] + c * LANES)
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
    cdef int64_t i, _, j, c, count, next_count
    cdef fplane worth                         # what i looks at in others
    cdef double others, elsewhere, mean, term
    for i in range(s * LANES, (s + 1) * LANES):
        ref(b.others, 0, i)[0] = NAN
        if not refb(b.occupied, i)[0]:
            continue
        worth = b.objective if b.stated and kind_of(b, i) == SPECIFIED else b.welfare
        mass[i] = 1
        touched[0] = i
        count = 1
        mean = 0
        term = 0                              # number of terms in the mean over l
        for _ in range(b.horizon):
            next_count = 0
            for c in range(count):
                next_count = step_from(b, touched[c], mass[touched[c]], then, next_touched, next_count)
                mass[touched[c]] = 0
            mass, then = then, mass
            touched, next_touched = next_touched, touched
            count = next_count
            others = 0
            elsewhere = 0                     # 1 - mass[i], without its cancellation
            for c in range(count):
                j = touched[c]
                if j != i:
                    others += mass[j] * ref(worth, 0, j)[0]
                    elsewhere += mass[j]
            if elsewhere > 0:
                mean += others / elsewhere
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
    cdef vi cares, mutual, giver
    cdef vf zero = splat(0), one = splat(1), w = ld(b.welfare, 0, i), kappa = ld(b.care, 0, i)
    cdef vf imports = zero, others = zero, theirs = zero, trace, eaten, r, advantage, bond, target, back
    cdef vf rate, worth
    cdef vi stated
    if b.care_kind == INTERDEPENDENCE or b.bond_rate > 0:
        for t in range(deg):
            slot = base + t * LANES
            trace = ld(b.trace, 0, slot)
            imports += trace
            if b.care_kind == INTERDEPENDENCE and b.horizon == 1:
                giver = ldi(b.in_index, slot)
                others += trace * pull(b.welfare, 0, giver, consecutive(giver))
                if b.stated:
                    theirs += trace * pull(b.objective, 0, giver, consecutive(giver))
    # appraise: r = (1 - kappa) w + kappa (others' welfare)
    if b.care_kind == INTERDEPENDENCE:
        eaten = ld(b.consumption, 0, i)
        target = pick(more(eaten, zero), imports / pick(more(eaten, zero), eaten, one),
                      only(more(imports, zero), splat(b.saturation)))
        kappa = kappa * vmin(one, target / splat(b.saturation))
        cares = more(imports, zero)
        others = others / pick(cares, imports, one)
        theirs = theirs / pick(cares, imports, one)
    elif b.care_kind == NEIGHBOURS and b.horizon == 1:
        eaten = ld(b.neighbours, 0, i)
        cares = more(eaten, zero)
        for t in range((b.out_ptr[s + 1] - b.out_ptr[s]) // LANES):
            giver = ldi(b.out_index, b.out_ptr[s] + i - s * LANES + t * LANES)
            others += pull(b.welfare, 0, giver, consecutive(giver))
            if b.stated:
                theirs += pull(b.objective, 0, giver, consecutive(giver))
        others = others / vmax(eaten, one)
        theirs = theirs / vmax(eaten, one)
    elif b.care_kind == WHOLE:
        cares = splati(-1 if b.n_alive > 1 else 0)
        others = splat(b.mean_welfare)
        theirs = splat(b.mean_objective)
    else:
        cares = splati(0)
    if b.care_kind == KIN or (b.horizon > 1 and b.care_kind != SELF and b.care_kind != WHOLE):
        others = ld(b.others, 0, i)
        cares = number(others)
        others = only(cares, others)
        theirs = others
    kappa = only(cares, kappa)
    r = (one - kappa) * w + kappa * others
    rate = ld(b.learning_rate, 0, i)
    if b.governed:
        rate = only(negate(lanes_with(b, i, KIND, <double>FROZEN)), rate)
        if b.stated:                           # appraised by the stated objective, its own and the others'
            stated = lanes_with(b, i, KIND, <double>SPECIFIED)
            worth = ld(b.objective, 0, i)
            kappa = only(lanes_with(b, i, MUTUAL_CARE, 1), kappa)
            r = pick(stated, (one - kappa) * worth + kappa * theirs, r)
    r = only(here, r)
    st(b.appraisal, 0, i, r)
    # learn: theta += rate * advantage * e, clipped
    eaten = ld(b.baseline, 0, i)
    advantage = r - eaten
    st(b.baseline, 0, i, only(here, eaten + splat(b.baseline_rate) * advantage))
    advantage = only(here, advantage * rate)
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
    target = only(more(imports, zero), one / pick(more(imports, zero), imports, one))
    eaten = ld(b.mutual if b.directed else b.neighbours, 0, i)
    for t in range(deg):
        slot = base + t * LANES
        back = gather(b.trace, 0, ldi(b.mate, slot)) if b.directed else ld(b.trace, 0, slot)
        bond = ld(b.bond, 0, slot)
        back = pick(more(imports, zero), back * target * eaten, one)
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
    if s + AHEAD < b.slices:
        i = (s + AHEAD) * LANES
        ask_rows(b.policy, b.M * b.F, i)
        ask_rows(b.eligibility, b.M * b.F, i)
    for c in range(BLOCKS):
        i = s * LANES + c * W
        if b.M * b.F == 21:
            learn_block(b, s, i, 21)
        else:
            learn_block(b, s, i, b.M * b.F)
