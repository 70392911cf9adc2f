# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True, auto_pickle=False, autotestdict=False
"""Games, their evolution and local rules on anybody's arrays: compiled loops of `organism.interact`.

`organism.interact` checks what they are given. Arrays come by their addresses, 0 where there is none; whoever calls
holds them. Whole numbers are of 1, 4 or 8 bytes.
"""

from cpython.exc cimport PyErr_Occurred
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t, uintptr_t

cdef extern from "_games.h" nogil:
    ctypedef struct Near:
        const int64_t* ptr
        const int32_t* end
        const double* weight
    int64_t _codes "codes"(const void* start, int size, int64_t n, int64_t most, uint8_t* small, int32_t* wide)
    int64_t _unbounded "unbounded"(const double* x, int64_t n)
    int _play_ties "play_ties"(const int32_t* row, const int32_t* column, const double* first, const double* second,
                               double* out, Near near, Near back, int64_t sites, int64_t kinds, int self, int average,
                               int threads)
    int _play_grid "play_grid"(const uint8_t* s, double* out, const double* payoff, int64_t height, int64_t width,
                               int moore, int torus, int self, int average, int threads)
    void _imitate_ties "imitate_ties"(const void* start, void* to, int size, const double* payoff, const int64_t* ptr,
                                      const int32_t* end, int64_t sites, int self, int threads)
    int _imitate_grid "imitate_grid"(const uint8_t* s, void* out, int size, const double* payoff, const int64_t* ptr,
                                     const int32_t* end, int64_t height, int64_t width, int moore, int torus, int self,
                                     int threads)

cdef extern from "_evolve.h" nogil:
    ctypedef struct Evolve:
        Near near, back
        const int32_t* order
        const int32_t* initial
        const double* first
        const double* second
        double* strength
        int64_t sites, kinds, replicates, events, mutant
        uint64_t seed
        double selection, mutation
        int update, self, average, exact, absorb, mutual, threads
        int64_t* counts
        int64_t* done
        int32_t* fixed
        int32_t* last
    int _evolve_all "evolve_all"(const Evolve* e)

cdef extern from "_activate.h" nogil:
    ctypedef void (*Rule)(int64_t, int64_t, int64_t, const int32_t*, const double*, const double*, double*, int64_t,
                          double*, const double*)
    ctypedef struct Chance:
        uint64_t[4] s
    ctypedef struct Activity:
        Rule rule
        const int64_t* ptr
        const int32_t* end
        const double* weight
        const int32_t* order
        const int32_t* giver
        const int32_t* taker
        const double* rate_sum
        int32_t* deck
        double* state
        double* other
        double* shared
        double* u
        int64_t sites, ties, columns, globals_ "globals", draws
        int64_t events, most, sweeps, in_sweep
        double time, duration
        int64_t bad
        Chance chance
        int activation, closing, until, met
        int stop
    enum: GUARDS, RAISED, INTERRUPTED
    Rule* RULES
    Chance stream(uint64_t seed, uint64_t number)
    uint64_t next_ "next"(Chance* c)
    void guard(double* x, int64_t n)
    void activate_sweeps(Activity* a, int64_t sweeps)

cdef extern from *:
    """
    #if defined(_MSC_VER)
    static __declspec(thread) void *in_python;
    #else
    static __thread void *in_python; /* whose rule this thread runs */
    #endif
    """
    void* in_python

guards = GUARDS


cdef inline Near near_of(uintptr_t ptr, uintptr_t end, uintptr_t weight) noexcept nogil:
    cdef Near n
    n.ptr, n.end, n.weight = <const int64_t*>ptr, <const int32_t*>end, <const double*>weight
    return n


# -- games ------------------------------------------------------------------------------------------------------------


def codes(uintptr_t start, int size, int64_t n, int64_t most, uintptr_t small, uintptr_t wide):
    """Read whole numbers into bytes or else 32 bits; return the first that is not in [0, most), or -1."""
    return _codes(<const void*>start, size, n, most, <uint8_t*>small, <int32_t*>wide)


def unbounded(uintptr_t x, int64_t n):
    """Return the first of n float64 that is not finite, or -1."""
    return _unbounded(<const double*>x, n)


def play_ties(uintptr_t row, uintptr_t column, uintptr_t first, uintptr_t second, uintptr_t out, tuple near, tuple back,
              int64_t sites, int64_t kinds, bint itself, bint average, int threads):
    """Let every site play with its neighbours; ``near`` and ``back`` are addresses of ptr, end and weights."""
    cdef Near forth = near_of(near[0], near[1], near[2]), home = near_of(back[0], back[1], back[2])
    cdef int fine
    with nogil:
        fine = _play_ties(<const int32_t*>row, <const int32_t*>column, <const double*>first, <const double*>second,
                          <double*>out, forth, home, sites, kinds, itself, average, threads)
    if not fine:
        raise MemoryError("no memory for the counts of some strategies")


def play_grid(uintptr_t s, uintptr_t out, uintptr_t payoff, int64_t height, int64_t width, bint moore, bint torus,
              bint itself, bint average, int threads):
    """Do the same on a grid for two strategies in bytes and neighbours one step away."""
    cdef int fine
    with nogil:
        fine = _play_grid(<const uint8_t*>s, <double*>out, <const double*>payoff, height, width, moore, torus, itself,
                          average, threads)
    if not fine:
        raise MemoryError("no memory for some rows of the grid")


def imitate_ties(uintptr_t start, uintptr_t to, int size, uintptr_t payoff, uintptr_t ptr, uintptr_t end, int64_t sites,
                 bint itself, int threads):
    """Let every site take the strategy of the best of its neighbours."""
    with nogil:
        _imitate_ties(<const void*>start, <void*>to, size, <const double*>payoff, <const int64_t*>ptr,
                      <const int32_t*>end, sites, itself, threads)


def imitate_grid(uintptr_t s, uintptr_t out, int size, uintptr_t payoff, uintptr_t ptr, uintptr_t end, int64_t height,
                 int64_t width, bint moore, bint torus, bint itself, int threads):
    """Do the same on a grid for two strategies in bytes and neighbours one step away."""
    cdef int fine
    with nogil:
        fine = _imitate_grid(<const uint8_t*>s, <void*>out, size, <const double*>payoff, <const int64_t*>ptr,
                             <const int32_t*>end, height, width, moore, torus, itself, threads)
    if not fine:
        raise MemoryError("no memory for some rows of the grid")


# -- evolution --------------------------------------------------------------------------------------------------------


cdef int raised(int wanted) except -1:
    """Pass on the exception that compiled code left behind."""
    if wanted and PyErr_Occurred():
        return -1
    return 0


def evolve(tuple near, tuple back, uintptr_t order, uintptr_t initial, uintptr_t first, uintptr_t second,
           uintptr_t strength, int64_t sites, int64_t kinds, int64_t replicates, int64_t events, int64_t mutant,
           uint64_t seed, double selection, double mutation, int update, bint itself, bint average, bint exact,
           bint absorb, bint mutual, int threads, uintptr_t counts, uintptr_t done, uintptr_t fixed, uintptr_t last):
    """Run all replicates; the arrays at the last four addresses take what comes of them."""
    cdef Evolve e
    cdef int found
    e.near, e.back = near_of(near[0], near[1], near[2]), near_of(back[0], back[1], back[2])
    e.order, e.initial, e.first, e.second = <const int32_t*>order, <const int32_t*>initial, <const double*>first, \
        <const double*>second
    e.strength, e.sites, e.kinds, e.replicates, e.events = <double*>strength, sites, kinds, replicates, events
    e.mutant, e.seed, e.selection, e.mutation, e.update = mutant, seed, selection, mutation, update
    e.self, e.average, e.exact, e.absorb, e.mutual, e.threads = itself, average, exact, absorb, mutual, threads
    e.counts, e.done, e.fixed, e.last = <int64_t*>counts, <int64_t*>done, <int32_t*>fixed, <int32_t*>last
    with nogil:
        found = _evolve_all(&e)
    raised(found == 2)
    if found == 1:
        raise MemoryError("no memory for the state of some replicates")


def words(uint64_t seed, uint64_t number, int n):
    """Return the first n random words of a stream."""
    cdef Chance c = stream(seed, number)
    return [next_(&c) for _ in range(n)]


# -- local rules ------------------------------------------------------------------------------------------------------


cdef class Running:
    """A local rule at work: what it runs on, how far it got, and what went wrong."""

    cdef Activity a
    cdef object rule, held, ends, weights, first, second, frozen_first, frozen_second, shared, u, error
    cdef double* start

    def __init__(self, rule, dict arrays, dict numbers):
        """Take ``rule`` (address, number of a ready-made one, or callable), arrays by name (some None), and numbers.

        ``arrays`` has "state", "other", "shared" and "u" with cells around them that belong to nobody; and in "views"
        those that a Python rule is shown, as (state, state read-only, other, other read-only, shared, u).
        """
        cdef Activity* a = &self.a
        self.held = arrays
        a.ptr, a.end = <const int64_t*><uintptr_t>address(arrays["ptr"]), \
            <const int32_t*><uintptr_t>address(arrays["end"])
        a.weight = <const double*><uintptr_t>address(arrays["weight"])
        a.order = <const int32_t*><uintptr_t>address(arrays["order"])
        a.giver, a.taker = <const int32_t*><uintptr_t>address(arrays["giver"]), \
            <const int32_t*><uintptr_t>address(arrays["taker"])
        a.rate_sum = <const double*><uintptr_t>address(arrays["rate_sum"])
        a.deck = <int32_t*><uintptr_t>address(arrays["deck"])
        a.state = self.start = <double*><uintptr_t>address(arrays["state"]) + GUARDS
        a.other = <double*><uintptr_t>address(arrays["other"]) + GUARDS
        a.shared = <double*><uintptr_t>address(arrays["shared"]) + GUARDS
        a.u = <double*><uintptr_t>address(arrays["u"]) + GUARDS
        a.sites, a.ties, a.columns = numbers["sites"], numbers["ties"], numbers["columns"]
        a.globals_, a.draws = numbers["globals"], numbers["draws"]
        a.events = a.sweeps = a.in_sweep = 0
        a.most, a.duration, a.time = numbers["events"], numbers["duration"], 0
        a.bad = -1
        a.chance = stream(numbers["seed"], 0)
        a.activation, a.closing, a.until = numbers["activation"], numbers["closing"], numbers["until"]
        a.met = a.stop = 0
        guard(a.state, a.sites * a.columns)
        guard(a.other, a.sites * a.columns)
        guard(a.shared, a.globals_)
        guard(a.u, a.draws)
        self.rule = self.error = None
        kind, value = rule
        if kind == "ready":
            a.rule = RULES[<int>value]
        elif kind == "compiled":
            a.rule = <Rule><uintptr_t>value
        else:
            a.rule = &call_python
            self.rule = value
            self.ends, self.weights = arrays["end"], arrays["weight"]
            (self.first, self.frozen_first, self.second, self.frozen_second, self.shared, self.u) = arrays["views"]

    def run(self, int64_t sweeps):
        """Run so many sweeps, or fewer; raise what a Python rule raised."""
        global in_python
        cdef Activity* a = &self.a
        cdef void* outer = in_python
        if self.rule is None:
            with nogil:
                activate_sweeps(a, sweeps)
        else:
            in_python = <void*>self
            try:
                activate_sweeps(a, sweeps)
            finally:
                in_python = outer
        raised(a.stop == INTERRUPTED)
        if self.error is not None:
            raise self.error

    @property
    def swapped(self):
        """Whether the state now lies where "other" began."""
        return self.a.state != self.start

    @property
    def stop(self):
        """Why it stopped: 0 for no bad reason."""
        return self.a.stop

    @property
    def bad(self):
        """Site or number of the shared state that is not finite."""
        return self.a.bad

    @property
    def met(self):
        """1 if the goal is met, 2 if the events or the time are up."""
        return self.a.met

    @property
    def done(self):
        """Sweeps, events and time so far."""
        return self.a.sweeps, self.a.events, self.a.time


cdef void call_python(int64_t site, int64_t partner, int64_t degree, const int32_t* neighbours, const double* weights,
                      const double* state, double* out, int64_t columns, double* shared,
                      const double* u) noexcept with gil:
    """Call the rule of a Python user; what it raises is left for whoever runs the loop."""
    cdef Running run = <Running>in_python
    cdef int64_t start = 0, end = 0
    if run.a.stop:
        return
    try:
        if site >= 0:
            start, end = run.a.ptr[site], run.a.ptr[site + 1]
        if state == out:
            now = then = run.first
        elif state == run.start:
            now, then = run.frozen_first, run.second
        else:
            now, then = run.frozen_second, run.first
        made = run.rule(site, partner, run.ends[start:end], run.weights[start:end], now, then, run.shared, run.u)
        if made is not None:
            raise TypeError(f"rule must write to out and return nothing; at site {site} it returned {made!r:.60}")
    except BaseException as error:
        run.a.stop = RAISED
        run.error = error


cdef object address(array):
    return 0 if array is None else array.ctypes.data
