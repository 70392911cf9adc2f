# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# cython: freethreading_compatible=True, auto_pickle=False, autotestdict=False
"""Neighbours of anybody's arrays: the compiled loops of `organism.interact`, which checks what they are given.

Arrays come by their addresses, so that one function serves every type of element:
``kind`` is 0, 1, 2, 3 for int32, int64, float32, float64. Results of integers are int64.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int32_t, int64_t, uintptr_t
from libc.string cimport memset

cdef extern from "_neighbours.h" nogil:
    enum: SLICE
    ctypedef struct Grid:
        int64_t height, width, columns, reach
        int moore, torus, self, threads
    ctypedef struct Slices:
        const int32_t* run
        const int32_t* site
        const int32_t* rest
        const int64_t* start
        const int32_t* end
        int64_t runs, gathers, rests
    ctypedef struct Ties:
        const int64_t* ptr
        const int32_t* end
        int64_t sites, columns
        int self, threads
        Slices slices
    int grid_walk(int kind, int what, const void* x, void* out, const void* rate, const int32_t* degree, Grid g)
    void ties_reduce(int kind, int what, const void* x, const void* weight, void* out, Ties t)
    void ties_argmax(int kind, const void* x, int64_t* out, Ties t)
    void ties_equal(int kind, const void* x, int64_t* out, Ties t)
    void ties_diffuse(int kind, const void* x, void* out, const void* weight, const void* strength, const void* rate,
                      Ties t)
    void ties_count(const int32_t* x, int64_t* out, int64_t categories, Ties t)
    int slices_find(Ties t, int32_t* run, int32_t* site, int32_t* rest, int64_t* count)
    void slices_fill(Ties t, int64_t* start, int32_t* end)

slice_sites = SLICE


def address(array):
    """Return where a contiguous array begins, 0 of None; the quick way to ``array.ctypes.data``."""
    cdef Py_buffer seen
    if array is None:
        return 0
    PyObject_GetBuffer(array, &seen, PyBUF_SIMPLE)
    PyBuffer_Release(&seen)
    return <uintptr_t>seen.buf


cdef Ties along(tuple ties, int64_t columns, bint itself, int threads):
    """Read (sites, address of ptr, address of end), and the slices after them if there are any."""
    cdef Ties t
    cdef Slices* s = &t.slices
    memset(&t, 0, sizeof(t))
    t.sites, t.ptr, t.end = ties[0], <const int64_t*><uintptr_t>ties[1], <const int32_t*><uintptr_t>ties[2]
    t.columns, t.self, t.threads = columns, itself, threads
    if len(ties) > 3:
        s.run, s.site, s.rest = <const int32_t*><uintptr_t>ties[3], <const int32_t*><uintptr_t>ties[4], \
            <const int32_t*><uintptr_t>ties[5]
        s.runs, s.gathers, s.rests = ties[6]
        s.start, s.end = <const int64_t*><uintptr_t>ties[7], <const int32_t*><uintptr_t>ties[8]
    return t


def find_slices(tuple ties, uintptr_t run, uintptr_t site, uintptr_t rest):
    """Sort sites into slices; return how many runs, gathers and remaining sites there are, and ends in slices."""
    cdef int64_t[4] count
    if not slices_find(along(ties, 1, False, 1), <int32_t*>run, <int32_t*>site, <int32_t*>rest, count):
        raise MemoryError("no memory to sort the sites by their neighbours")
    return count[0], count[1], count[2], count[3]


def fill_slices(tuple ties, uintptr_t run, uintptr_t site, int64_t runs, int64_t gathers, uintptr_t start,
                uintptr_t end):
    """Put where the ends of each slice begin, and the ends."""
    cdef Ties t = along(ties, 1, False, 1)
    t.slices.run, t.slices.site, t.slices.runs, t.slices.gathers = <const int32_t*>run, <const int32_t*>site, runs, \
        gathers
    slices_fill(t, <int64_t*>start, <int32_t*>end)


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


def reduce(int kind, int what, uintptr_t x, uintptr_t weight, uintptr_t out, tuple ties, int64_t columns, bint itself,
           int threads):
    """Reduce over the other ends of each site's ties; ``what``: 0 sum, 1 least, 2 most; weight 0: all count 1."""
    cdef Ties t = along(ties, columns, itself, threads)
    with nogil:
        ties_reduce(kind, what, <const void*>x, <const void*>weight, <void*>out, t)


def argmax(int kind, uintptr_t x, uintptr_t out, tuple ties, int64_t columns, bint itself, int threads):
    """Find the neighbour that has most, the first of equals; -1 where there is none."""
    cdef Ties t = along(ties, columns, itself, threads)
    with nogil:
        ties_argmax(kind, <const void*>x, <int64_t*>out, t)


def equal(int kind, uintptr_t x, uintptr_t out, tuple ties, int64_t columns, bint itself, int threads):
    """Count the neighbours that have the same."""
    cdef Ties t = along(ties, columns, itself, threads)
    with nogil:
        ties_equal(kind, <const void*>x, <int64_t*>out, t)


def count(uintptr_t x, uintptr_t out, tuple ties, int64_t categories, bint itself, int threads):
    """Count the neighbours of each category."""
    cdef Ties t = along(ties, 1, itself, threads)
    with nogil:
        ties_count(<const int32_t*>x, <int64_t*>out, categories, t)


def diffuse(int kind, uintptr_t x, uintptr_t out, uintptr_t weight, uintptr_t strength, uintptr_t rate, tuple ties,
            int64_t columns, int threads):
    """Take one explicit step of diffusion along in-ties; ``out`` is another array than ``x``."""
    cdef Ties t = along(ties, columns, False, threads)
    with nogil:
        ties_diffuse(kind, <const void*>x, <void*>out, <const void*>weight, <const void*>strength, <const void*>rate, t)
