"""Sweeps on Dask: a scheduler and workers as its own commands start them, one of which is killed."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from sweep_cases import GRID, draw, killer, quiet

from organism._store import Store

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")  # distributed's own


def slowly(params, rng):
    time.sleep(.1)
    return draw(params, rng)


def end(process):
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:  # a worker without its scheduler may never close by itself
        process.kill()
        process.wait()


@pytest.fixture
def cluster(tmp_path):
    """A client of a scheduler and two workers, each a process started by a command of Dask's."""
    dask, where = [sys.executable, "-m", "dask"], str(tmp_path / "scheduler.json")
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(__file__)}
    with contextlib.ExitStack() as stack:
        def start(*words):
            process = subprocess.Popen([*dask, *words, "--scheduler-file", where, "--no-dashboard"], env=environment,
                                       cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            stack.callback(end, process)

        start("scheduler", "--host", "127.0.0.1", "--port", "0")
        for _ in range(2):
            start("worker", "--host", "127.0.0.1", "--nthreads", "1")
        client = stack.enter_context(distributed.Client(scheduler_file=where, timeout=60))
        client.wait_for_workers(2, timeout=60)
        yield client


def test_a_worker_is_killed_midway(cluster, tmp_path):
    expected = quiet(draw, vary=GRID, replicates=30).frame
    store, killed = tmp_path / "store", []

    def kill():
        while not (store / "parts").exists() or len(list((store / "parts").iterdir())) < 6:
            time.sleep(.02)
        killed.append((len({o.key for o in Store(store).read()}), victim))
        os.kill(victim, signal.SIGKILL)

    victim = next(iter(cluster.run(os.getpid).values()))
    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    found = quiet(slowly, vary=GRID, replicates=30, executor=cluster, store=store)
    thread.join(60)
    (before, _), = killed
    assert 6 <= before < 90 and victim not in cluster.run(os.getpid).values()
    assert found.failures.empty and len(found.frame) == 90
    assert found.frame.x.tolist() == expected.x.tolist()
    assert len({o.key for o in found._store.read()}) == 90
    # Without a store too, and the executor that a client gives.
    assert quiet(draw, vary=GRID, replicates=30, executor=cluster.get_executor()).frame.equals(expected)


def test_a_run_that_kills_every_worker_is_a_row(cluster):
    found = quiet(killer, vary=GRID, executor=cluster)
    assert found.failures.error.tolist() == ["WorkerDied"] and found.frame.a.tolist() == [0, 2.5]


def test_a_scheduler_that_goes_away(cluster, tmp_path):
    def stop():
        while not (tmp_path / "store" / "parts").exists() or not list((tmp_path / "store" / "parts").iterdir()):
            time.sleep(.02)
        scheduler = cluster.run_on_scheduler(os.getpid)
        os.kill(scheduler, signal.SIGKILL)

    thread = threading.Thread(target=stop, daemon=True)
    thread.start()
    with pytest.raises(RuntimeError, match="make a new executor and run the same call again"):
        quiet(slowly, vary=GRID, replicates=30, executor=cluster, store=tmp_path / "store")
    thread.join(60)
    rest = quiet(slowly, vary=GRID, replicates=30, store=tmp_path / "store")
    assert len(rest.frame) == 90 and len({o.key for o in rest._store.read()}) == 90
