# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True, auto_pickle=False, autotestdict=False
"""Neighbours of anybody's arrays: the compiled loops of `organism.interact`, which checks what they are given.

Arrays come by their addresses, so that one function serves every type of element:
``kind`` is 0, 1, 2, 3 for int32, int64, float32, float64. Results of integers are int64.
"""

from libc.stdint cimport int32_t, int64_t, uintptr_t

cdef extern from "_neighbours.h" nogil:
    enum: DIFFUSE
    ctypedef struct Grid:
        int64_t height, width, columns, reach
        int moore, torus, self, threads
    ctypedef struct Ties:
        const int64_t* ptr
        const int32_t* end
        int64_t sites, columns
        int self, threads
    int grid_walk(int kind, int what, const void* x, void* out, const void* rate, const int32_t* degree, Grid g)
    void ties_reduce(int kind, int what, const void* x, const void* weight, void* out, Ties t)
    void ties_argmax(int kind, const void* x, int64_t* out, Ties t)
    void ties_equal(int kind, const void* x, int64_t* out, Ties t)
    void ties_diffuse(int kind, const void* x, void* out, const void* weight, const void* strength, const void* rate,
                      Ties t)
    void ties_count(const int32_t* x, int64_t* out, int64_t categories, Ties t)


cdef Ties along(const int64_t[::1] ptr, const int32_t[::1] end, int64_t columns, bint itself, int threads):
    cdef Ties t
    t.ptr, t.end, t.sites, t.columns = &ptr[0], &end[0] if end.shape[0] else NULL, ptr.shape[0] - 1, columns
    t.self, t.threads = itself, threads
    return t


def on_grid(int kind, int what, uintptr_t x, uintptr_t out, tuple shape, int64_t columns, int64_t reach, bint moore,
            bint torus, bint itself, int threads, uintptr_t rate=0, uintptr_t degree=0):
    """Reduce over the neighbours of each cell of a grid; ``what``: 0 sum, 1 least, 2 most, 3 a step of diffusion."""
    cdef Grid g
    cdef int fine
    g.height, g.width, g.columns, g.reach = shape[0], shape[1], columns, reach
    g.moore, g.torus, g.self, g.threads = moore, torus, itself, threads
    with nogil:
        fine = grid_walk(kind, what, <const void*>x, <void*>out, <const void*>rate, <const int32_t*>degree, g)
    if not fine:
        raise MemoryError("no memory for some rows of the grid")


def reduce(int kind, int what, uintptr_t x, uintptr_t weight, uintptr_t out, const int64_t[::1] ptr,
           const int32_t[::1] end, int64_t columns, bint itself, int threads):
    """Reduce over the other ends of each site's ties; ``what``: 0 sum, 1 least, 2 most; weight 0: all count 1."""
    cdef Ties t = along(ptr, end, columns, itself, threads)
    with nogil:
        ties_reduce(kind, what, <const void*>x, <const void*>weight, <void*>out, t)


def argmax(int kind, uintptr_t x, uintptr_t out, const int64_t[::1] ptr, const int32_t[::1] end, int64_t columns,
           bint itself, int threads):
    """Find the neighbour that has most, the first of equals; -1 where there is none."""
    cdef Ties t = along(ptr, end, columns, itself, threads)
    with nogil:
        ties_argmax(kind, <const void*>x, <int64_t*>out, t)


def equal(int kind, uintptr_t x, uintptr_t out, const int64_t[::1] ptr, const int32_t[::1] end, int64_t columns,
          bint itself, int threads):
    """Count the neighbours that have the same."""
    cdef Ties t = along(ptr, end, columns, itself, threads)
    with nogil:
        ties_equal(kind, <const void*>x, <int64_t*>out, t)


def count(uintptr_t x, uintptr_t out, const int64_t[::1] ptr, const int32_t[::1] end, int64_t categories, bint itself,
          int threads):
    """Count the neighbours of each category."""
    cdef Ties t = along(ptr, end, 1, itself, threads)
    with nogil:
        ties_count(<const int32_t*>x, <int64_t*>out, categories, t)


def diffuse(int kind, uintptr_t x, uintptr_t out, uintptr_t weight, uintptr_t strength, uintptr_t rate,
            const int64_t[::1] ptr, const int32_t[::1] end, int64_t columns, int threads):
    """Take one explicit step of diffusion along in-ties; ``out`` is another array than ``x``."""
    cdef Ties t = along(ptr, end, columns, False, threads)
    with nogil:
        ties_diffuse(kind, <const void*>x, <void*>out, <const void*>weight, <const void*>strength, <const void*>rate, t)
