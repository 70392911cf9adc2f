"""Sweeps when things go wrong: runs that raise, hang or kill, Ctrl-C, processes killed, a full disk."""

import concurrent.futures as cf
import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from sweep_cases import GRID, deadly, deaf, draw, fragile, hangs, killer, quiet


@pytest.fixture(scope="module")
def expected():
    return quiet(draw, vary=GRID, replicates=4).frame


def test_a_run_that_raises_is_a_row(tmp_path):
    found = quiet(fragile, vary=GRID, replicates=2, store=tmp_path)
    assert len(found.frame) == 4 and found.failures.error.tolist() == ["ZeroDivisionError"] * 2
    assert found.failures.message[0] == "a is one" and found.failures["where"][0].startswith("test_sweeps.py:")


@pytest.mark.parametrize("function, error", [(killer, "WorkerDied"), (deaf, "TimeLimit")])
def test_a_run_that_kills_or_hangs_its_worker(expected, function, error):
    found = quiet(function, vary=GRID, replicates=1, workers=2, time_limit=2.)
    assert found.failures.error.tolist() == [error] and found.frame.a.tolist() == [0, 2.5]
    assert found.frame.x.tolist() == expected[(expected.replicate == 0) & (expected.a != 1)].x.tolist()


def test_a_worker_killed_once_costs_nothing(expected, tmp_path):
    found = quiet(deadly, params={"flag": str(tmp_path / "flag")}, vary=GRID, replicates=4, workers=2,
                  store=tmp_path / "store")
    assert (tmp_path / "flag").exists() and found.failures.empty
    assert found.frame.x.tolist() == expected.x.tolist()


def test_time_limit_serial_and_in_a_thread():
    assert quiet(hangs, vary=GRID, time_limit=.3).failures.error.tolist() == ["TimeLimit"]
    with cf.ThreadPoolExecutor(1) as pool:
        assert quiet(hangs, vary=GRID, time_limit=.3, executor=pool).failures.a.tolist() == [1]


def test_interrupt_keeps_what_is_finished(tmp_path):
    def interrupted(params, rng):
        if params["a"] == 1 and not (tmp_path / "flag").exists():
            (tmp_path / "flag").touch()
            os.kill(os.getpid(), signal.SIGINT)
        return draw(params, rng)

    with pytest.raises(KeyboardInterrupt, match="4 of 12 runs finished; run the same call again"):
        quiet(interrupted, vary=GRID, replicates=4, store=tmp_path / "store")
    found = quiet(interrupted, vary=GRID, replicates=4, store=tmp_path / "store")
    assert len(list(found._store.read())) == 12 and len(found.frame) == 12


def test_disk_full(tmp_path):
    code = textwrap.dedent("""
        import resource, sys
        from organism.sweeps import sweep
        def draw(params, rng):
            return {f"x{i}": rng.normal() for i in range(50)}
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
        try:
            sweep(draw, vary={"a": [1, 2]}, rng=1, store=sys.argv[1], progress=False)
        except OSError as error:
            print(error)
    """)
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "store")], capture_output=True, text=True)
    assert re.search("cannot be written: .*File too large", done.stdout) and "run the same call again" in done.stdout
    assert os.listdir(tmp_path / "store" / "parts") == []


