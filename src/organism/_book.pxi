# Declarations: the lanes, the book that every pass reads, and how arrays become planes.

cdef extern from "_lanes.h" nogil:
    enum: W
    enum: LANES
    enum: BLOCKS
    enum: AHEAD
    enum: CHECKED
    float FORGOTTEN
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
    void ask(fplane, iplane, int64_t)
    void ask_rows(fplane, int64_t, int64_t)
    void ask_rowsd(dplane, int64_t, int64_t)
    bint consecutive(vi)
    vf pull(fplane, int64_t, vi, bint)
    vd pulld(dplane, int64_t, vi, bint)
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
    COMMAND = 8
    TRY = 9
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

cdef struct Book:                  # everything a pass needs; filled by Kernel.bind
    int64_t slices, sites, K, M, F, G, tick
    uint32_t seed0, seed1
    # parameters
    int perception, cue, rest, horizon, care_kind, geometric, leontief, inherit_policy, global_parents
    int any_empty, directed, ledger, depletion_law, governed, stated, endorsing
    int64_t n_alive
    float yield_, skill_gain, skill_up, skill_down, work_cost, depletion, regrowth, task_memory
    float complementarity, share_cost, bond_rate, bond_floor, memory, trace_decay, baseline_rate
    float exploration, share_exploration, task_bound, share_bound, saturation
    float hazard, frailty, vitality_rate, refill, selection, mutation_sd
    float start_skill, start_welfare, start_vitality
    double loss, start_stock, start_spread, policy_sd
    uint32_t mutates               # bit per trait: care, capability, reserve, learning rate
    float mean_welfare, mean_objective
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
    # regimes: per member, per site, per regime (laws) and per block
    splane regime
    bplane obeys, off
    iplane block, block_operator, block_row, block_count
    fplane rank, obeyed, unbidden, objective, made, burned
    dplane laws, quota, seen, reading
    int64_t blocks
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


cdef dplane pt(double[:, ::1] a) noexcept:
    """A table, not a plane of sites: however narrow, its rows have elements."""
    cdef dplane p = pd(a)
    p.step = 1
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
