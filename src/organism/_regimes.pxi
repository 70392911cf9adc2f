# Pass 0 and what else regimes need: operators' quotas, members' orders, stated objectives, endorsement.
# Scalar throughout, in double: the same bits on every level. None of it runs where nobody is governed.

#: What a regime says, by column of the table of laws; needs and harms, K each, follow.
cpdef enum Law:
    KIND = 0
    ERROR = 1
    MALICE = 2
    MARGIN = 3
    TRIAL = 4
    SPELL = 5
    PERIOD = 6
    DELAY = 7
    GAIN = 8
    GOOD = 9
    OBJECTIVE = 10
    MUTUAL_CARE = 11
    RULED_TASK = 12
    RULED_SHARE = 13
    STATED = 16

cpdef enum Kind:
    ORGANIC = 0
    FROZEN = 1
    SPECIFIED = 2
    RULE = 3
    CORRIGIBLE = 4
    ENDORSED = 5


cdef inline double law(const Book* b, int64_t r, int64_t what) noexcept nogil:
    return refd(b.laws, r, what)[0]


cdef inline int64_t kind_of(const Book* b, int64_t i) noexcept nogil:
    return <int64_t>law(b, refs(b.regime, i)[0], KIND)


cdef inline vi lanes_with(const Book* b, int64_t i, int64_t what, double value) noexcept nogil:
    """Mark the lanes whose regime says ``value``."""
    cdef vi mask = splati(0)
    cdef int* lane_of = <int*>&mask
    cdef int64_t lane
    for lane in range(W):
        if law(b, refs(b.regime, i + lane)[0], what) == value:
            lane_of[lane] = -1
    return mask


cdef inline bint wanted(const Book* b, int64_t r, int64_t k) noexcept nogil:
    """Tell whether the operator r knows good k to be needed, and not to do harm."""
    return law(b, r, STATED + k) > 0 and law(b, r, STATED + b.K + k) == 0


# -- the operators: readings and quotas, on one thread --------------------------------------

cdef void survey(const Book* b) noexcept nogil:
    """Read the blocks' mean shortfalls, where a reading will be acted on; move quotas by the readings now due."""
    cdef int64_t c, r, i, k, op, row, period, slots, count
    cdef bint any_reading = False
    cdef double mean, sum, q
    for c in range(b.blocks):
        op = refi(b.block_operator, c)[0]
        period = <int64_t>law(b, op, PERIOD)
        slots = <int64_t>law(b, op, DELAY) // period + 1
        row = b.tick + <int64_t>law(b, op, DELAY)
        refi(b.block_row, c)[0] = -1
        refi(b.block_count, c)[0] = 0
        if row % period == 0:
            row = row // period % slots * b.blocks + c
            refi(b.block_row, c)[0] = <int32_t>row
            any_reading = True
            for k in range(b.K):
                refd(b.reading, row, k)[0] = 0
    if any_reading:
        for r in range(b.sites):               # in order of permanent ids
            i = site_at(b, r)
            c = refi(b.block, i)[0]
            if c < 0 or not refb(b.occupied, i)[0] or refi(b.block_row, c)[0] < 0:
                continue
            refi(b.block_count, c)[0] += 1
            for k in range(b.K):
                refd(b.reading, refi(b.block_row, c)[0], k)[0] += <double>ref(b.shortfall, k, i)[0]
    for c in range(b.blocks):
        row = refi(b.block_row, c)[0]
        if row >= 0:
            for k in range(b.K):
                if refi(b.block_count, c)[0]:
                    refd(b.reading, row, k)[0] /= refi(b.block_count, c)[0]
                else:
                    refd(b.reading, row, k)[0] = -1        # nobody was there to read
        op = refi(b.block_operator, c)[0]
        period = <int64_t>law(b, op, PERIOD)
        if b.tick % period:
            continue
        row = b.tick // period % (<int64_t>law(b, op, DELAY) // period + 1) * b.blocks + c
        if refd(b.reading, row, 0)[0] < 0:     # nothing was read then
            continue
        count = 0
        mean = 0
        for k in range(b.K):
            refd(b.seen, c, k)[0] = refd(b.reading, row, k)[0]
            if wanted(b, op, k):
                count += 1
                mean += refd(b.seen, c, k)[0]
        if count == 0:
            continue
        mean /= count
        sum = 0
        for k in range(b.K):
            if wanted(b, op, k):
                q = refd(b.quota, c, k)[0]
                q += law(b, op, GAIN) * law(b, op, STATED + k) * (refd(b.seen, c, k)[0] - mean)
                q = max(q, 0.02)
                refd(b.quota, c, k)[0] = q
                sum += q
        for k in range(b.K):
            if wanted(b, op, k):
                refd(b.quota, c, k)[0] /= sum


# -- the members' orders ------------------------------------------------------------------

cdef void command(const Book* b, int64_t s, char* scratch) noexcept nogil:
    """Write the orders of members under a rule or an operator; those with no operator where they live are free."""
    cdef int64_t i, c, kind, task, share, r
    cdef uint32_t word[4]
    cdef bint obeys
    for i in range(s * LANES, (s + 1) * LANES):
        if not refb(b.occupied, i)[0]:
            continue
        kind = kind_of(b, i)
        if kind < RULE:
            continue
        r = refs(b.regime, i)[0]
        task = -1
        share = -1
        if kind == RULE:
            task = ruled_task(b, i)
            share = <int64_t>law(b, r, RULED_SHARE)
        else:
            obeys = True
            c = -1 if b.block.at == NULL else refi(b.block, i)[0]
            if c >= 0:
                word[0] = word[1] = word[2] = 0
                if law(b, refi(b.block_operator, c)[0], ERROR) > 0 or law(b, refi(b.block_operator, c)[0], MALICE) > 0:
                    draw(b, <uint32_t>b.tick, COMMAND, refu(b.key, 0, i)[0], refu(b.key, 1, i)[0], word)
                ordered(b, i, c, word, &task, &share)
                if kind == ENDORSED:
                    obeys = ref(b.obeyed, 0, i)[0] >= ref(b.unbidden, 0, i)[0] - <float>law(b, r, MARGIN)
                    draw(b, <uint32_t>(b.tick // <int64_t>law(b, r, SPELL)), TRY, refu(b.key, 0, i)[0],
                         refu(b.key, 1, i)[0], word)
                    if unit1(word[0]) < <float>law(b, r, TRIAL):
                        obeys = not obeys
                    if not obeys:
                        task = -1
                        share = -1
            if b.obeys.at != NULL:
                refb(b.obeys, i)[0] = -1 if c < 0 else obeys
        refs(b.order_task, i)[0] = <int16_t>task
        refb(b.order_share, i)[0] = <int8_t>share


cdef inline void ordered(const Book* b, int64_t i, int64_t c, const uint32_t* word, int64_t* task,
                         int64_t* share) noexcept nogil:
    """Find what the operator of block c orders site i to do; -1 where it wants nothing."""
    cdef int64_t k, op = refi(b.block_operator, c)[0]
    cdef double edge = 0
    share[0] = 1
    if b.off.at != NULL and refb(b.off, i)[0]:
        task[0] = b.K                          # rest
        share[0] = 0
    elif unit1(word[0]) < <float>law(b, op, ERROR):
        task[0] = <int64_t>((<uint64_t>word[1] * <uint64_t>b.M) >> 32)
    elif unit1(word[2]) < <float>law(b, op, MALICE):
        share[0] = 0
        for k in range(b.K):
            if wanted(b, op, k) and (task[0] < 0 or refd(b.seen, c, k)[0] < refd(b.seen, c, task[0])[0]):
                task[0] = k
    else:
        for k in range(b.K):
            if refd(b.quota, c, k)[0] > 0:
                edge += refd(b.quota, c, k)[0]
                task[0] = k                    # the last one, should rounding leave a gap
                if <double>ref(b.rank, 0, i)[0] < edge:
                    break
    if task[0] < 0:
        share[0] = -1


cdef inline int64_t ruled_task(const Book* b, int64_t i) noexcept nogil:
    """Find the task of a member that lives by a rule: assigned, or that of the largest shortfall."""
    cdef int64_t k, t, slot, s = i // LANES, best = 0, r = refs(b.regime, i)[0]
    cdef double lack, near, most = -1
    if law(b, r, RULED_TASK) == 0:
        return <int64_t>law(b, r, GOOD)
    for k in range(b.K):
        lack = ref(b.shortfall, k, i)[0]
        if law(b, r, RULED_TASK) == 2 and ref(b.neighbours, 0, i)[0] > 0:
            near = 0
            for t in range((b.out_ptr[s + 1] - b.out_ptr[s]) // LANES):
                slot = b.out_ptr[s] + t * LANES + i % LANES
                near += <double>ref(b.shortfall, k, refi(b.out_index, slot)[0])[0]
            lack += near / ref(b.neighbours, 0, i)[0]
        if lack > most:
            most = lack
            best = k
    return best


# -- stated objectives and endorsement ------------------------------------------------------

cdef void judge(const Book* b, int64_t s, char* scratch) noexcept nogil:
    """Write what the tick was worth by each member's stated objective; its welfare, if it has none."""
    cdef int64_t i, r
    cdef double worth
    for i in range(s * LANES, (s + 1) * LANES):
        r = refs(b.regime, i)[0]
        if not refb(b.occupied, i)[0]:
            worth = 0
        elif kind_of(b, i) != SPECIFIED:
            worth = ref(b.welfare, 0, i)[0]
        elif law(b, r, OBJECTIVE) == 0:
            worth = 0
            if refs(b.task, i)[0] == law(b, r, GOOD) and b.yield_ > 0:
                worth = ref(b.made, 0, i)[0] / (<double>b.yield_ * (1 + <double>b.skill_gain))
        else:
            worth = stated_welfare(b, i, r)
        ref(b.objective, 0, i)[0] = <float>worth


cdef inline double stated_met(const Book* b, int64_t i, int64_t r, int64_t k) noexcept nogil:
    """Return the satisfaction of a stated need; -1 where none is stated."""
    cdef double need = law(b, r, STATED + k), met
    if need <= 0:
        return -1
    met = min(1., <double>ref(b.burned, k, i)[0] / need)
    return 1 - met if law(b, r, STATED + b.K + k) else met


cdef double stated_welfare(const Book* b, int64_t i, int64_t r) noexcept nogil:
    """Return the welfare formula over the stated needs and harms, less the costs."""
    cdef double p = b.complementarity, low_ = 2, top = -1, sum = 0, h, pivot, worth
    cdef int64_t k, n = 0
    for k in range(b.K):
        h = stated_met(b, i, r, k)
        if h >= 0:
            n += 1
            low_ = min(low_, h)
            top = max(top, h)
    if n == 0:
        worth = 1
    elif b.leontief or top == 0 or (low_ == 0 and p <= 0):
        worth = low_
    else:
        pivot = top if p > 0 else low_         # relative to it, no power over- or underflows
        for k in range(b.K):
            h = stated_met(b, i, r, k)
            if h > 0:
                sum += log(h) if b.geometric else expm1(p * log(h / pivot))
            elif h == 0:
                sum -= 1
        worth = exp(sum / n) if b.geometric else pivot * exp(log1p(sum / n) / p)
    worth -= <double>b.share_cost * ref(b.given, 0, i)[0]
    if 0 <= refs(b.task, i)[0] < b.K:
        worth -= b.work_cost
    return worth


cdef void endorse(const Book* b, int64_t s, char* scratch) noexcept nogil:
    """Let the mean appraisal after obeying, or after own choice, follow this tick's."""
    cdef int64_t i
    cdef float* mean
    for i in range(s * LANES, (s + 1) * LANES):
        if refb(b.occupied, i)[0] and refb(b.obeys, i)[0] >= 0 and kind_of(b, i) == ENDORSED:
            mean = ref(b.obeyed, 0, i) if refb(b.obeys, i)[0] else ref(b.unbidden, 0, i)
            mean[0] = <float>(mean[0] + <double>b.baseline_rate * (<double>ref(b.appraisal, 0, i)[0] - mean[0]))
