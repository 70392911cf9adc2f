"""Asserts in modules that tests share say as much as those in tests."""

import pytest

pytest.register_assert_rewrite("topologies")
