# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True, auto_pickle=False, autotestdict=False
"""The tick: passes over arrays. Knows numbers and nothing else.

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
    Nothing else is summed across sites within a tick, but the mean welfare
    and the operators' readings, in permanent-id order on one thread.
(e) Stocks, offers and the ledger are float64, because goods are conserved;
    all that only steers behaviour is float32 (MODEL.md, "Precision").

The kernel checks nothing and cannot raise: world.py does, beforehand.
"""

from cython.parallel cimport prange, threadid
from libc.math cimport NAN, cos, exp, expm1, floor, log, log1p, pow, sqrt
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memset

include "_book.pxi"

lanes = LANES
width = W
openmp = bool(ORGANISM_OPENMP)
checked = bool(CHECKED)


def level():
    """Return the highest instruction level of this processor that a build exists for: 1, 3 or 4."""
    return cpu_level()


def after_fork():
    """Use one thread from now on; called in a child of ``os.fork``, where OpenMP's threads are missing."""
    global forked
    forked = 1


include "_passes.pxi"
include "_demography.pxi"
include "_regimes.pxi"


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
        int directed, depletion_law, demography, threads, timed, governed, stated, endorsing
        # whether members came, went or changed since Python last looked; whether run() stops for it
        int news, watched
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
        # regimes
        int16_t[::1] regime
        int8_t[::1] obeys, off
        int32_t[::1] block, block_operator, block_row, block_count
        float[:, ::1] rank, obeyed, unbidden, objective, made, burned
        double[:, ::1] laws, quota, seen, reading
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

    def closed(self, int64_t[:, ::1] uids, double[:, ::1] amounts, int64_t start=0):
        """Copy the closed accounts from ``start`` on: giver and receiver uids (n, 2), amounts (n, K)."""
        cdef int64_t i, k, at
        for i in range(min(self.n_closed - start, uids.shape[0])):
            at = start + i
            uids[i, 0] = self.closed_uids[2 * at]
            uids[i, 1] = self.closed_uids[2 * at + 1]
            for k in range(self.K):
                amounts[i, k] = self.closed_amounts[at * self.K + k]

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
        cdef char* fresh
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
        b.saturation, b.loss, b.hazard = <float>max(self.saturation, 1e-30), self.loss, <float>self.hazard
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
        b.governed, b.stated, b.endorsing = self.governed, self.stated, self.endorsing
        b.regime, b.obeys, b.off = p16(self.regime), p8(self.obeys), p8(self.off)
        b.block, b.block_operator = pc32(self.block), pc32(self.block_operator)
        b.block_row, b.block_count = pc32(self.block_row), pc32(self.block_count)
        b.rank, b.obeyed, b.unbidden = pf(self.rank), pf(self.obeyed), pf(self.unbidden)
        b.objective, b.made, b.burned = pf(self.objective), pf(self.made), pf(self.burned)
        b.laws, b.quota, b.seen, b.reading = pt(self.laws), pt(self.quota), pt(self.seen), pt(self.reading)
        b.blocks = 0 if self.block_operator is None else self.block_operator.shape[0]
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
        fresh = <char*>malloc(<size_t>(b.scratch_bytes * max(1, self.threads) + 64))
        if fresh == NULL:
            raise MemoryError(f"no memory for the scratch space of {self.threads} threads")
        free(self.scratch)
        self.scratch = fresh
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

    def run(self, int64_t n, double patience=1e300):
        """Advance ``n`` ticks without the GIL, or fewer: none is begun after ``patience`` seconds.

        Nor is one begun after members came or went, where that is ``watched``.
        Returns the number of ticks done, at least 1 of a positive ``n``.
        """
        cdef int64_t done = 0
        cdef double start
        global lanes_fault
        with nogil:
            start = seconds()
            while done < n and (done == 0 or seconds() - start < patience and not (self.watched and self.news)):
                self.one_tick()
                done += 1
        if lanes_fault:
            line, lanes_fault = lanes_fault, 0
            raise SystemError(f"the kernel reached outside an array (_lanes.h, line {line})")
        return done

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
        b.tick, b.n_alive = self.tick, self.n_alive
        b.any_empty = self.n_alive < self.sites
        if self.timed:
            clock = seconds()
        sweep(b, sense, threads)
        for r in range(b.K):                   # shortfall and offer share memory, so the sentinels'
            for i in range(b.slices * LANES, (b.slices + 1) * LANES):    # zeros are written again
                ref(b.shortfall, r, i)[0] = 0
        if b.governed:                         # the shortfalls that sense wrote are what operators see
            if b.blocks:
                survey(b)
            sweep(b, command, threads)
        self.lap(0, &clock)
        sweep(b, act, threads)
        self.lap(1, &clock)
        sweep(b, offer, threads)
        for r in range(b.K):
            for i in range(b.slices * LANES, (b.slices + 1) * LANES):
                refd(b.offer, r, i)[0] = 0
        self.lap(2, &clock)
        sweep(b, receive, threads)
        if b.stated:
            sweep(b, judge, threads)
        self.lap(3, &clock)
        if b.care_kind == WHOLE:
            for r in range(b.sites):
                sum += ref(b.welfare, 0, site_at(b, r))[0]     # empty sites hold 0
            b.mean_welfare = <float>(sum / max(<int64_t>1, b.n_alive))
            sum = 0
            for r in range(b.sites if b.stated else 0):
                sum += ref(b.objective, 0, site_at(b, r))[0]
            b.mean_objective = <float>(sum / max(<int64_t>1, b.n_alive))
        elif b.care_kind == KIN or (b.horizon > 1 and b.care_kind != SELF):
            sweep(b, walk, threads)
        self.lap(4, &clock)
        sweep(b, learn, threads)
        if b.endorsing:
            sweep(b, endorse, threads)
        self.lap(5, &clock)
        if self.demography:
            sweep(b, fade, threads)
            reap(self)
            if b.refill > 0 and self.n_alive < self.sites:
                breed(self)
        for i in range(b.sites):
            if refb(b.occupied, i)[0]:
                refi(b.age, i)[0] += 1
        self.lap(6, &clock)
        self.tick += 1

    cdef bint has_key(self, uint32_t key0, uint32_t key1) noexcept nogil:
        cdef Book* b = &self.book
        cdef int64_t i
        for i in range(b.sites):
            if refu(b.key, 0, i)[0] == key0 and refu(b.key, 1, i)[0] == key1:
                return True
        return False

    def found(self, int64_t i, bint with_stock, bint unlike=False):
        """Settle a founder (or a member added from outside) at empty site ``i``.

        ``unlike``: take another key where a member has it already, who was
        added here earlier in this tick and has moved on.
        """
        cdef uint32_t word[4]
        cdef uint32_t key0, key1
        cdef int64_t k
        cdef Book* b = &self.book
        draw(b, <uint32_t>self.tick, FOUNDER, low(id_of(b, i)),
             high(id_of(b, i)), word)
        key0, key1 = word[0], word[1]
        while unlike and self.has_key(key0, key1):
            draw(b, <uint32_t>self.tick, FOUNDER, key0, key1, word)
            key0, key1 = word[0], word[1]
        settle(self, i, key0, key1)
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
        vacate(self, i)


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
    cdef int64_t i, c, lane, n = key.shape[0], w
    lo.at, hi.at, o.at = &lows[0], &highs[0], &out[0][0]
    lo.len, hi.len, o.len = W, W, 4 * W
    lo.row = lo.step = hi.row = hi.step = 0
    o.row, o.step = W, 0
    rows = []
    for c in range((n + W - 1) // W):
        i = c * W
        for lane in range(W):
            lows[lane] = low(key[min(i + lane, n - 1)])
            highs[lane] = high(key[min(i + lane, n - 1)])
        k0, k1 = ldu(lo, 0, 0), ldu(hi, 0, 0)
        vphilox(tick, stream, low(seed), high(seed), k0, k1, word)
        for w in range(4):
            u = unit(word[w])
            st(o, w, 0, u)
        for lane in range(min(<int64_t>W, n - i)):
            rows.append((out[0][lane], out[1][lane], out[2][lane], out[3][lane]))
    return rows
