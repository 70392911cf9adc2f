# Pass 8: who dies, who is born, and what a row starts with.

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
    free_row(b, i, b.start_welfare)


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
    if b.order_share.at != NULL:
        refb(b.order_share, i)[0] = -1
    for f in range(b.M * b.F):
        ref(b.policy, f, i)[0] = 0
        ref(b.eligibility, f, i)[0] = 0
    for f in range(b.G):
        ref(b.share_policy, f, i)[0] = 0
        ref(b.share_eligibility, f, i)[0] = 0
    for f in range(b.G - 1):
        ref(b.share_feature, f, i)[0] = 0
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
    free_row(b, i, 0)


cdef void free_row(const Book* b, int64_t i, float welfare) noexcept nogil:
    """Leave row i under no regime; block, rank and switch are the site's and stay."""
    if b.regime.at != NULL:
        refs(b.regime, i)[0] = 0
    if b.obeys.at != NULL:
        refb(b.obeys, i)[0] = -1
        ref(b.obeyed, 0, i)[0] = welfare
        ref(b.unbidden, 0, i)[0] = welfare
    if b.objective.at != NULL:
        ref(b.objective, 0, i)[0] = welfare


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


cdef void reap(Kernel kernel) noexcept nogil:
    """Bury the doomed: stock to the ground, ties closed, row cleared."""
    cdef Book* b = &kernel.book
    cdef int64_t r, i, k
    for r in range(b.sites):
        i = site_at(b, r)
        if not refb(b.doomed, i)[0]:
            continue
        for k in range(b.K):
            refd(b.ground, k, i)[0] += refd(b.stock, k, i)[0]
        vacate(kernel, i)
        kernel.n_died += 1


cdef void vacate(Kernel kernel, int64_t i) noexcept nogil:
    cdef Book* b = &kernel.book
    reset_ties(kernel, b, i, False)
    clear_row(b, i)
    count_neighbour(b, i, -1)
    kernel.n_alive -= 1
    kernel.news = True


cdef void settle(Kernel kernel, int64_t i, uint32_t key0, uint32_t key1) noexcept nogil:
    """Put a member that starts anew at empty site i; parentage and stock are the caller's."""
    cdef Book* b = &kernel.book
    refu(b.key, 0, i)[0] = key0
    refu(b.key, 1, i)[0] = key1
    start_row(b, i)
    b.uid[i] = kernel.next_uid
    if b.founder != NULL:
        b.parent_uid[i] = -1
        b.founder[i] = kernel.next_uid
    kernel.next_uid += 1
    reset_ties(kernel, b, i, True)
    count_neighbour(b, i, 1)
    kernel.n_alive += 1
    kernel.news = True


cdef void breed(Kernel kernel) noexcept nogil:
    """Refill empty sites: each seeker draws a parent, each parent takes one site."""
    cdef Book* b = &kernel.book
    cdef int64_t r, c, i, wishes = 0, n_living = 0, n, s, t, other, parent
    cdef uint32_t word[4]
    cdef double sum, cut
    cdef uint32_t id0, id1
    cdef bint uniform
    for r in range(b.sites):
        i = site_at(b, r)
        kernel.claim[i] = -1
        if refb(b.occupied, i)[0]:
            kernel.living[n_living] = i
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
        parent = draw_parent(kernel, i, id0, id1, unit1(word[1]), n_living)
        if parent < 0:
            continue
        kernel.wishes[3 * wishes] = i
        kernel.wishes[3 * wishes + 1] = parent
        kernel.wishes[3 * wishes + 2] = word[2]
        c = kernel.claim[parent]
        if c < 0 or kernel.wishes[3 * c + 2] < word[2]:      # ties go to the lower site id
            kernel.claim[parent] = wishes
        wishes += 1
    for c in range(wishes):
        if kernel.claim[kernel.wishes[3 * c + 1]] == c:
            give_birth(kernel, kernel.wishes[3 * c + 1], kernel.wishes[3 * c])


cdef int64_t draw_parent(Kernel kernel, int64_t i, uint32_t id0, uint32_t id1, float u,
                         int64_t n_living) noexcept nogil:
    """Draw a parent ∝ vitality^selection among the candidates of empty site i; -1 if none."""
    cdef Book* b = &kernel.book
    cdef int64_t s = i // LANES, t, n = 0, candidate, pass_
    cdef int64_t deg = (b.in_ptr[s + 1] - b.in_ptr[s]) // LANES
    cdef double sum = 0, top = 0, cut, weight
    for t in range(deg):
        candidate = refi(b.in_index, b.in_ptr[s] + t * LANES + i % LANES)[0]
        if refb(b.occupied, candidate)[0]:
            n += 1
            top = max(top, ref(b.vitality, 0, candidate)[0])
    if b.global_parents:
        n = max(<int64_t>1, n)
        top = 0
        for t in range(n):
            top = max(top, ref(b.vitality, 0, anyone(kernel, t, id0, id1, n_living))[0])
    for t in range((n if b.global_parents else deg) if top > 0 else 0):     # relative to the best: no underflow
        if b.global_parents:
            candidate = anyone(kernel, t, id0, id1, n_living)
        else:
            candidate = refi(b.in_index, b.in_ptr[s] + t * LANES + i % LANES)[0]
            if not refb(b.occupied, candidate)[0]:
                continue
        sum += pow(ref(b.vitality, 0, candidate)[0] / top, b.selection)
    if n == 0:
        return -1
    cut = u * (sum if sum > 0 else <double>n)
    pass_ = -1
    for t in range(n if b.global_parents else deg):
        if b.global_parents:
            candidate = anyone(kernel, t, id0, id1, n_living)
        else:
            candidate = refi(b.in_index, b.in_ptr[s] + t * LANES + i % LANES)[0]
            if not refb(b.occupied, candidate)[0]:
                continue
        weight = pow(ref(b.vitality, 0, candidate)[0] / top, b.selection) if sum > 0 else 1
        if weight > 0:
            pass_ = candidate              # the last possible one, should rounding overshoot
        cut -= weight
        if cut < 0:
            return candidate
    return pass_


cdef int64_t anyone(Kernel kernel, int64_t c, uint32_t id0, uint32_t id1, int64_t n_living) noexcept nogil:
    """Return the c-th candidate drawn from all living members for one site."""
    cdef uint32_t word[4]
    draw(&kernel.book, <uint32_t>kernel.book.tick, <uint32_t>(CANDIDATE + c), id0, id1, word)
    return kernel.living[(<uint64_t>word[0] * <uint64_t>n_living) >> 32]


cdef void give_birth(Kernel kernel, int64_t parent, int64_t i) noexcept nogil:
    cdef Book* b = &kernel.book
    cdef uint32_t word[4]
    cdef int64_t k, f
    cdef double half
    draw(b, <uint32_t>refi(b.births, parent)[0], BIRTH, refu(b.key, 0, parent)[0],
         refu(b.key, 1, parent)[0], word)
    refi(b.births, parent)[0] += 1
    settle(kernel, i, word[0], word[1])
    b.parent_uid[i] = b.uid[parent]
    b.founder[i] = b.founder[parent]
    kernel.n_born += 1
    if b.regime.at != NULL:
        refs(b.regime, i)[0] = refs(b.regime, parent)[0]
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
                v = min(v * exp(min(b.mutation_sd * z[0], 100.)), 1e6)     # params.LARGEST
        ref(trait, k, i)[0] = <float>v
