"""Random numbers: the published vectors, and the kernel's words against the plain twin's."""

import math

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

from organism import _core
from organism._dispatch import core

words = st.integers(0, 2**32 - 1)
keys = st.integers(0, 2**64 - 1)

#: Known answers of Random123 (kat_vectors, philox4x32 10): counter, key, result.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


@pytest.mark.parametrize("philox", [reference.philox, _core.philox_block], ids=["twin", "kernel"])
@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_known_answers(philox, counter, key, answer):
    counter, key, answer = ([int(word, 16) for word in text.split()] for text in (counter, key, answer))
    assert list(philox(counter, key)) == answer


@given(st.tuples(words, words, words, words), st.tuples(words, words))
def test_kernel_and_twin_draw_the_same_words(counter, key):
    assert _core.philox_block(counter, key) == reference.philox(counter, key)


@given(keys, st.lists(keys, min_size=1, max_size=40), words, words)
def test_lanes_draw_the_same_uniforms(seed, members, tick, stream):
    """The vector form, for any number of members, gives each the twin's four numbers."""
    got = core.uniforms(seed, np.array(members, np.uint64), tick, stream)
    assert [tuple(four) for four in got] == [
        tuple(reference.uniform(word) for word in reference.draw(seed, key, tick, stream)) for key in members]


def test_uniform_uses_the_upper_24_bits():
    assert reference.uniform(0) == reference.uniform(255) == 0
    assert reference.uniform(256) == 2.0**-24
    assert reference.uniform(2**32 - 1) == 1 - 2.0**-24
    assert np.float32(reference.uniform(2**32 - 1)) < 1


def test_normals_are_normal():
    pairs = [reference.normals(*reference.draw(7, key, 0, 0)[:2]) for key in range(4000)]
    z = np.array(pairs)
    assert abs(z.mean()) < .04 and abs(z.var() - 1) < .06
    assert abs(np.corrcoef(z.T)[0, 1]) < .06
    assert math.isfinite(reference.normals(0, 0)[0])        # word 0 does not take the logarithm of 0
