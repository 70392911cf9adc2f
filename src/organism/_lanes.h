/* Lanes: W members side by side in one vector register.
 *
 * The kernel works on blocks of W consecutive sites; W is the width of the
 * instruction set this file is compiled for (4 on SSE2 and NEON, 8 on AVX2,
 * 16 on AVX-512). Every operation is element-wise IEEE arithmetic without
 * contraction, so the results do not depend on W: the same bits on every
 * level. exp and log are our own for the same reason.
 *
 * A plane is an array of rows, one row a resource, task or weight, one element
 * a site. A parameter that is the same for all sites has rows of LANES equal
 * elements and step 0: one load serves every block.
 *
 * With ORGANISM_CHECKED every access is held against the plane's length; the
 * first one outside is remembered in lanes_fault and redirected to element 0.
 */
#ifndef ORGANISM_LANES_H
#define ORGANISM_LANES_H

#include <math.h>
#include <stdint.h>
#include <time.h>

#if !defined(__GNUC__)
#error "organism's kernel needs a compiler with GNU vector extensions: gcc or clang"
#endif
#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512VL__) && defined(__AVX512BW__)
#define W 16
#elif defined(__AVX2__)
#define W 8
#else
#define W 4
#endif
#define BLOCKS (LANES / W)
#define LANES 16 /* width of a storage slice: the same on every level */

#define FORGOTTEN 1e-30f /* a smaller trace is set to 0: no slow denormals, no overflow of its inverse */

#define INLINE static inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(4 * W)));
typedef int32_t vi __attribute__((vector_size(4 * W)));
typedef uint32_t vu __attribute__((vector_size(4 * W)));
typedef uint64_t vq __attribute__((vector_size(4 * W))); /* W/2 wide: Philox products */
typedef double hd __attribute__((vector_size(4 * W)));
typedef int64_t hl __attribute__((vector_size(4 * W)));
typedef struct { hd a, b; } vd; /* two registers: compilers handle wider vectors badly */
typedef struct { hl a, b; } vl;

typedef struct { float *at; int64_t len, row, step; } fplane;
typedef struct { double *at; int64_t len, row, step; } dplane;
typedef struct { int32_t *at; int64_t len, row, step; } iplane;
typedef struct { uint32_t *at; int64_t len, row, step; } uplane;
typedef struct { int16_t *at; int64_t len, row, step; } splane;
typedef struct { int8_t *at; int64_t len, row, step; } bplane;

/* -- bounds --------------------------------------------------------------------- */

static int lanes_fault = 0;
#ifdef ORGANISM_CHECKED
INLINE int64_t inside(int64_t first, int64_t count, int64_t len, int line) {
    if (first < 0 || first + count > len) {
        if (!lanes_fault) lanes_fault = line;
        return 0;
    }
    return first;
}
#define AT(p, off, n) ((p).at + inside((off), (n), (p).len, __LINE__))
#define CHECKED 1
#else
#define AT(p, off, n) ((p).at + (off))
#define CHECKED 0
#endif

/* -- loads and stores: plane, row, first site ----------------------------------------- */

#define OFFSET(p, r, i) ((r) * (p).row + (i) * (p).step)

/* unaligned views; typed, so that the compiler knows what a store cannot have changed */
typedef float vf_at __attribute__((vector_size(4 * W), aligned(4)));
typedef double hd_at __attribute__((vector_size(4 * W), aligned(8)));
typedef int32_t vi_at __attribute__((vector_size(4 * W), aligned(4)));
typedef uint32_t vu_at __attribute__((vector_size(4 * W), aligned(4)));

INLINE vf ld(fplane p, int64_t r, int64_t i) { return *(const vf_at *)AT(p, OFFSET(p, r, i), W); }
INLINE vd ldd(dplane p, int64_t r, int64_t i) {
    const double *at = AT(p, OFFSET(p, r, i), W);
    return (vd){*(const hd_at *)at, *(const hd_at *)(at + W / 2)};
}
INLINE vi ldi(iplane p, int64_t i) { return *(const vi_at *)AT(p, i, W); }
INLINE vu ldu(uplane p, int64_t r, int64_t i) { return *(const vu_at *)AT(p, OFFSET(p, r, i), W); }
INLINE vi lds(splane p, int64_t i) {
    const int16_t *at = AT(p, i, W);
#if W == 16
    return (vi)_mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)at));
#elif W == 8
    return (vi)_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)at));
#else
    return (vi){at[0], at[1], at[2], at[3]};
#endif
}
INLINE vi ldb(bplane p, int64_t i) {
    const int8_t *at = AT(p, i, W);
#if W == 16
    return (vi)_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)at));
#elif W == 8
    return (vi)_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)at));
#else
    return (vi){at[0], at[1], at[2], at[3]};
#endif
}
INLINE void st(fplane p, int64_t r, int64_t i, vf v) { *(vf_at *)AT(p, OFFSET(p, r, i), W) = v; }
INLINE void std(dplane p, int64_t r, int64_t i, vd v) {
    double *at = AT(p, OFFSET(p, r, i), W);
    *(hd_at *)at = v.a;
    *(hd_at *)(at + W / 2) = v.b;
}
INLINE void sti(iplane p, int64_t i, vi v) { *(vi_at *)AT(p, i, W) = v; }
INLINE void sts(splane p, int64_t i, vi v) {
    int16_t *at = AT(p, i, W);
#if W == 16
    _mm256_storeu_si256((__m256i *)at, _mm512_cvtepi32_epi16((__m512i)v));
#elif W == 8
    __m256i n = (__m256i)v;
    _mm_storeu_si128((__m128i *)at, _mm_packs_epi32(_mm256_castsi256_si128(n), _mm256_extracti128_si256(n, 1)));
#else
    for (int l = 0; l < W; l++) at[l] = (int16_t)v[l];
#endif
}
INLINE void stb(bplane p, int64_t i, vi v) {
    int8_t *at = AT(p, i, W);
#if W == 16
    _mm_storeu_si128((__m128i *)at, _mm512_cvtepi32_epi8((__m512i)v));
#elif W == 8
    __m256i n = (__m256i)v;
    __m128i s = _mm_packs_epi32(_mm256_castsi256_si128(n), _mm256_extracti128_si256(n, 1));
    _mm_storel_epi64((__m128i *)at, _mm_packs_epi16(s, s));
#else
    for (int l = 0; l < W; l++) at[l] = (int8_t)v[l];
#endif
}

/* one element, for the scalar passes */
INLINE float *ref(fplane p, int64_t r, int64_t i) { return AT(p, OFFSET(p, r, i), 1); }
INLINE double *refd(dplane p, int64_t r, int64_t i) { return AT(p, OFFSET(p, r, i), 1); }
INLINE int32_t *refi(iplane p, int64_t i) { return AT(p, i, 1); }
INLINE uint32_t *refu(uplane p, int64_t r, int64_t i) { return AT(p, OFFSET(p, r, i), 1); }
INLINE int16_t *refs(splane p, int64_t i) { return AT(p, i, 1); }
INLINE int8_t *refb(bplane p, int64_t i) { return AT(p, i, 1); }

/* -- gathers ----------------------------------------------------------------------- */

INLINE vf gather(fplane p, int64_t r, vi j) {
#if CHECKED || !defined(__AVX2__)
    vf v;
    for (int l = 0; l < W; l++) v[l] = *AT(p, r * p.row + j[l], 1);
    return v;
#elif W == 16
    return (vf)_mm512_i32gather_ps((__m512i)j, p.at + r * p.row, 4);
#else
    return (vf)_mm256_i32gather_ps(p.at + r * p.row, (__m256i)j, 4);
#endif
}

INLINE vd gatherd(dplane p, int64_t r, vi j) {
#if CHECKED || !defined(__AVX2__)
    vd v;
    for (int l = 0; l < W / 2; l++) v.a[l] = *AT(p, r * p.row + j[l], 1);
    for (int l = 0; l < W / 2; l++) v.b[l] = *AT(p, r * p.row + j[l + W / 2], 1);
    return v;
#elif W == 16
    const double *base = p.at + r * p.row;
    return (vd){(hd)_mm512_i32gather_pd(_mm512_castsi512_si256((__m512i)j), base, 8),
                (hd)_mm512_i32gather_pd(_mm512_extracti64x4_epi64((__m512i)j, 1), base, 8)};
#else
    const double *base = p.at + r * p.row;
    return (vd){(hd)_mm256_i32gather_pd(base, _mm256_castsi256_si128((__m256i)j), 8),
                (hd)_mm256_i32gather_pd(base, _mm256_extracti128_si256((__m256i)j, 1), 8)};
#endif
}

/* Neighbours of neighbours on a grid are neighbours: where W indices are consecutive, one
 * plain load does, and a gather (slow on some processors) is spared. */
INLINE int consecutive(vi j) {
#if W == 16
    const __m512i iota = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return _mm512_cmpeq_epi32_mask((__m512i)j, _mm512_add_epi32(_mm512_set1_epi32(j[0]), iota)) == 0xffff;
#elif W == 8
    const __m256i iota = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    __m256i same = _mm256_cmpeq_epi32((__m256i)j, _mm256_add_epi32(_mm256_set1_epi32(j[0]), iota));
    return _mm256_movemask_epi8(same) == -1;
#else
    return j[1] == j[0] + 1 && j[2] == j[0] + 2 && j[3] == j[0] + 3;
#endif
}
INLINE vf pull(fplane p, int64_t r, vi j, int run) {
    return run ? *(const vf_at *)AT(p, r * p.row + j[0], W) : gather(p, r, j);
}
INLINE vd pulld(dplane p, int64_t r, vi j, int run) {
    if (!run) return gatherd(p, r, j);
    const double *at = AT(p, r * p.row + j[0], W);
    return (vd){*(const hd_at *)at, *(const hd_at *)(at + W / 2)};
}

INLINE vi gatherb(bplane p, vi j) {
    vi v;
    for (int l = 0; l < W; l++) v[l] = *AT(p, j[l], 1);
    return v;
}

/* ask for the lines that a gather at j[0] … j[LANES - 1] will touch, where they lie together */
INLINE void ask(fplane p, iplane j, int64_t at) {
    __builtin_prefetch(p.at + j.at[at]);
    __builtin_prefetch(p.at + j.at[at + LANES - 1]);
}

/* ask for rows of a plane at a slice that is worked on soon: a processor follows some sequences of
 * addresses by itself, but not the sixty of a pass. Into the second cache, for the first is small. */
#define AHEAD 4 /* slices between asking and use */
INLINE void ask_rows(fplane p, int64_t rows, int64_t i) {
    if (p.step) for (int64_t r = 0; r < rows; r++) __builtin_prefetch(p.at + r * p.row + i, 1, 2);
}
INLINE void ask_rowsd(dplane p, int64_t rows, int64_t i) {
    if (p.step) for (int64_t r = 0; r < rows; r++) {
        __builtin_prefetch(p.at + r * p.row + i, 1, 2);
        __builtin_prefetch(p.at + r * p.row + i + 8, 1, 2);
    }
}

/* -- arithmetic the operators do not give -------------------------------------------- */

INLINE vf splat(float a) { vf z = {0}; return z + a; }
INLINE vi splati(int32_t a) { vi z = {0}; return z + a; }
INLINE vd splatd(double a) { hd z = {0}; return (vd){z + a, z + a}; }
INLINE vd wide(vf a) {
#if W == 16
    return (vd){(hd)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)a)),
                (hd)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)a, 1))};
#elif W == 8
    return (vd){(hd)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)a)),
                (hd)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)a, 1))};
#else
    return (vd){(hd){a[0], a[1]}, (hd){a[2], a[3]}};
#endif
}
INLINE vf narrow(vd a) {
#if W == 16
    return (vf)_mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps((__m512d)a.a)),
                                  _mm512_cvtpd_ps((__m512d)a.b), 1);
#elif W == 8
    return (vf)_mm256_set_m128(_mm256_cvtpd_ps((__m256d)a.b), _mm256_cvtpd_ps((__m256d)a.a));
#else
    return (vf){(float)a.a[0], (float)a.a[1], (float)a.b[0], (float)a.b[1]};
#endif
}
INLINE vl widem(vi m) {
#if W == 16
    return (vl){(hl)_mm512_cvtepi32_epi64(_mm512_castsi512_si256((__m512i)m)),
                (hl)_mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64((__m512i)m, 1))};
#elif W == 8
    return (vl){(hl)_mm256_cvtepi32_epi64(_mm256_castsi256_si128((__m256i)m)),
                (hl)_mm256_cvtepi32_epi64(_mm256_extracti128_si256((__m256i)m, 1))};
#else
    return (vl){(hl){m[0], m[1]}, (hl){m[2], m[3]}};
#endif
}
INLINE vd dadd(vd x, vd y) { return (vd){x.a + y.a, x.b + y.b}; }
INLINE vd dsub(vd x, vd y) { return (vd){x.a - y.a, x.b - y.b}; }
INLINE vd dmul(vd x, vd y) { return (vd){x.a * y.a, x.b * y.b}; }
INLINE vd ddiv(vd x, vd y) { return (vd){x.a / y.a, x.b / y.b}; }

INLINE vi less(vf a, vf b) { return a < b; }
INLINE vi more(vf a, vf b) { return a > b; }
INLINE vi same(vi a, vi b) { return a == b; }
INLINE vi atleast(vi a, vi b) { return a >= b; }
INLINE vi both(vi a, vi b) { return a & b; }
INLINE vi either(vi a, vi b) { return a | b; }
INLINE vi negate(vi a) { return ~a; }
INLINE vi number(vf a) { return a == a; } /* not NaN */
INLINE vl mored(vd x, vd y) { return (vl){x.a > y.a, x.b > y.b}; }

INLINE vf pick(vi m, vf a, vf b) { return (vf)((m & (vi)a) | (~m & (vi)b)); }
INLINE vi picki(vi m, vi a, vi b) { return (m & a) | (~m & b); }
INLINE hd pickh(hl m, hd a, hd b) { return (hd)((m & (hl)a) | (~m & (hl)b)); }
INLINE vd pickd(vl m, vd x, vd y) { return (vd){pickh(m.a, x.a, y.a), pickh(m.b, x.b, y.b)}; }
INLINE vf only(vi m, vf a) { return (vf)(m & (vi)a); }
INLINE vd onlyd(vl m, vd x) { return (vd){(hd)(m.a & (hl)x.a), (hd)(m.b & (hl)x.b)}; }
#if W == 16
INLINE vf vmax(vf a, vf b) { return (vf)_mm512_max_ps((__m512)a, (__m512)b); }
INLINE vf vmin(vf a, vf b) { return (vf)_mm512_min_ps((__m512)a, (__m512)b); }
INLINE hd maxh(hd a, hd b) { return (hd)_mm512_max_pd((__m512d)a, (__m512d)b); }
INLINE hd minh(hd a, hd b) { return (hd)_mm512_min_pd((__m512d)a, (__m512d)b); }
#elif W == 8
INLINE vf vmax(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
INLINE vf vmin(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
INLINE hd maxh(hd a, hd b) { return (hd)_mm256_max_pd((__m256d)a, (__m256d)b); }
INLINE hd minh(hd a, hd b) { return (hd)_mm256_min_pd((__m256d)a, (__m256d)b); }
#else /* as x86 defines them: b unless a is strictly greater (smaller) */
INLINE vf vmax(vf a, vf b) { return pick(a > b, a, b); }
INLINE vf vmin(vf a, vf b) { return pick(a < b, a, b); }
INLINE hd maxh(hd a, hd b) { return pickh(a > b, a, b); }
INLINE hd minh(hd a, hd b) { return pickh(a < b, a, b); }
#endif
INLINE vd vmaxd(vd x, vd y) { return (vd){maxh(x.a, y.a), maxh(x.b, y.b)}; }
INLINE vd vmind(vd x, vd y) { return (vd){minh(x.a, y.a), minh(x.b, y.b)}; }

INLINE int any(vi m) {
#if W == 16
    return _mm512_movepi32_mask((__m512i)m) != 0;
#elif W == 8
    return _mm256_movemask_ps((__m256)m) != 0;
#else
    return (m[0] | m[1] | m[2] | m[3]) != 0;
#endif
}

INLINE double total(vd x) { /* ascending */
    double s = 0;
    for (int l = 0; l < W / 2; l++) s += x.a[l];
    for (int l = 0; l < W / 2; l++) s += x.b[l];
    return s;
}

/* e^x, relative error about 1e-7 (Cephes' minimax polynomial; S. L. Moshier) */
INLINE vf vexp(vf x) {
    x = vmin(vmax(x, splat(-87.0f)), splat(88.0f));
    vf y = x * 1.44269504088896341f;
    vi n = __builtin_convertvector(y + pick(y < 0, splat(-.5f), splat(.5f)), vi); /* nearest */
    vf k = __builtin_convertvector(n, vf);
    vf r = x - k * 0.693359375f - k * -2.12194440e-4f;
    vf p = splat(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    return p * (vf)((n + 127) << 23);
}

/* natural logarithm of x > 0 (normal numbers), relative error about 1e-7 (Cephes) */
INLINE vf vlog(vf x) {
    vi bits = (vi)x;
    vi e = (bits >> 23) - 126;
    vf m = (vf)((bits & 0x007fffff) | 0x3f000000); /* [.5, 1) */
    vi small = m < 0.707106781186547524f;
    e = e + small; /* a true mask is -1 */
    m = m + only(small, m) - 1.0f;
    vf k = __builtin_convertvector(e, vf), z = m * m;
    vf p = splat(7.0376836292e-2f);
    p = p * m + -1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m + -1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m + -1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m + -2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    vf y = m * z * p + k * -2.12194440e-4f - 0.5f * z;
    return m + y + k * 0.693359375f;
}

/* -- randomness: Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405) ------- */

#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u

INLINE void philox(uint32_t c[4], uint32_t k0, uint32_t k1) {
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)PHILOX_M0 * c[0], b = (uint64_t)PHILOX_M1 * c[2];
        uint32_t c1 = c[1], c3 = c[3];
        c[0] = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c[1] = (uint32_t)b;
        c[2] = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c[3] = (uint32_t)a;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
}

INLINE vq mul32(vq a, uint32_t b) { /* low halves of the 64-bit lanes, full products */
#if defined(__SSE2__) && W == 16
    return (vq)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(b));
#elif defined(__SSE2__) && W == 8
    return (vq)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(b));
#elif defined(__SSE2__)
    return (vq)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x(b));
#else
    return (a & 0xffffffffu) * (uint64_t)b;
#endif
}

INLINE void hilo(vu a, uint32_t b, vu *hi, vu *lo) {
    vq even = mul32((vq)a, b), odd = mul32((vq)a >> 32, b);
    *lo = (vu)((even & 0xffffffffu) | (odd << 32));
    *hi = (vu)((even >> 32) | (odd & 0xffffffff00000000u));
}

/* one block a lane; the first four words of stream `stream` at `tick` */
INLINE void vphilox(uint32_t tick, uint32_t stream, uint32_t seed0, uint32_t seed1,
                    vu k0, vu k1, vu out[4]) {
    vu zero = {0}, c0 = zero + tick, c1 = zero + stream, c2 = zero + seed0, c3 = zero + seed1;
    for (int round = 0; round < 10; round++) {
        vu h0, l0, h1, l1;
        hilo(c0, PHILOX_M0, &h0, &l0);
        hilo(c2, PHILOX_M1, &h1, &l1);
        c0 = h1 ^ c1 ^ k0;
        c1 = l1;
        c2 = h0 ^ c3 ^ k1;
        c3 = l0;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    out[0] = c0; out[1] = c1; out[2] = c2; out[3] = c3;
}

INLINE vf unit(vu word) { return __builtin_convertvector((vi)(word >> 8), vf) * 5.9604644775390625e-8f; }
INLINE float unit1(uint32_t word) { return (float)(word >> 8) * 5.9604644775390625e-8f; }

INLINE uint32_t low(uint64_t a) { return (uint32_t)a; }
INLINE uint32_t high(uint64_t a) { return (uint32_t)(a >> 32); }

/* -- clock -------------------------------------------------------------------------- */

INLINE double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
