"""Sweeps when things go wrong: runs that raise, hang or kill, Ctrl-C, processes killed, a full disk."""

import concurrent.futures as cf
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from sweep_cases import GRID, deadly, deaf, draw, fragile, hangs, killer, quiet

from organism import Topology, inputs
from organism._readings import Tasks
from organism._runs import Plan, execute
from organism._store import Store
from organism.sweeps import sweep


@pytest.fixture(scope="module")
def expected():
    return quiet(draw, vary=GRID, replicates=4).frame


def test_a_run_that_raises_is_a_row(tmp_path):
    found = quiet(fragile, vary=GRID, replicates=2, store=tmp_path)
    assert len(found.frame) == 4 and found.failures.error.tolist() == ["ZeroDivisionError"] * 2
    assert found.failures.message[0] == "a is one" and found.failures["where"][0].startswith("sweep_cases.py:")


def test_the_first_error_is_named():
    found = quiet(fragile, vary=GRID, replicates=2)
    assert str(found) == ("Sweep(3 points × 2 replicates, 2 failed, seed 1), first error: "
                          "a=1 replicate 0: ZeroDivisionError: a is one")
    assert str(quiet(draw, vary=GRID)) == "Sweep(3 points × 1 replicates, 0 failed, seed 1)"

    def wordy(params, rng):
        raise ValueError("no " * 200 if params else "")

    said = str(quiet(wordy, params={"a": 1}))
    assert "first error: replicate 0: ValueError: no no" in said and "\n" not in said and len(said) < 200
    assert str(quiet(wordy)).endswith("replicate 0: ValueError")


@pytest.mark.parametrize("workers", [None, 1])
@pytest.mark.parametrize("nothing", [None, [], ()])
def test_a_run_that_returns_nothing_failed(nothing, workers):
    found = quiet(lambda params, rng: nothing, vary=GRID, workers=workers)
    assert found.frame.empty and found.failures.error.tolist() == ["TypeError"] * 3
    assert found.failures.message[0] == ("returned nothing; a run returns a number, a mapping of numbers "
                                         "or a list of these")
    some = quiet(lambda params, rng: {"x": None, "y": 1}, vary=GRID)
    assert some.failures.empty and some.frame.x.isna().all() and some.frame.y.tolist() == [1] * 3


@pytest.mark.parametrize("where, words", [
    ({"topology": "karrate"}, "no graph is called 'karrate' and no such file exists; did you mean 'karate'?"),
    ({"topology": "no.csv"}, "there is no graph file no.csv"), ({"topology": -3}, "not -3"),
    ({"topology": (3, "a")}, "topology must be a whole number from 1 on, or a height and a width, not (3, 'a')"),
    ({"vary": {"size": [3, "karate"]}}, "size must be a whole number from 1 on, or a height and a width, not 'karate'"),
    ({"vary": {"size": [3, 3.5]}}, "not 3.5"), ({"vary": {"size": [[2, 2, 2]]}}, "not (2, 2, 2)"),
    ({"vary": {"size": [None]}}, "not None"), ({"vary": {"topology": ["karate", "karrate"]}}, "did you mean 'karate'"),
    ({"topology": 10**7}, "can be numbered"),
])
def test_a_place_is_refused_before_the_first_run(where, words, tmp_path, monkeypatch):
    monkeypatch.setattr("organism.sweeps.serial", lambda *_: pytest.fail("a run was begun"))
    with pytest.raises((ValueError, OSError), match=re.escape(words)):
        quiet(ticks=1, store=tmp_path, **where)


def test_a_grid_too_large_for_memory(monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr("organism.topology.Topology.grid", full)
    with pytest.raises(ValueError, match="size 9 takes more memory than there is"):
        quiet(vary={"size": [9]}, ticks=1)


@pytest.mark.parametrize("kept", [0, 10**6])
def test_graphs_are_read_as_seldom_as_memory_allows(kept, tmp_path, monkeypatch):
    read, names = inputs.read_graph, []
    monkeypatch.setattr("organism._runs.KEPT", kept)
    monkeypatch.setattr("organism.inputs.read_graph", lambda name: names.append(name) or read(name))
    both = {"vary": {"topology": ["karate", "florentine_families"]}, "ticks": 2, "replicates": 3}
    first = quiet(store=tmp_path, **both)
    assert len(names) == (4 if kept == 0 else 2) and first.failures.empty
    names.clear()
    assert len(quiet(store=tmp_path, **both).frame) == 6 and not names  # nothing is missing, so nothing is read
    assert quiet(topology="karate", ticks=2, replicates=9).failures.empty and names == ["karate"]
    assert len(quiet(vary={"size": [4., [4, 4], [9]]}, ticks=2).frame) == 3


def test_a_function_that_makes_the_place_is_left_to_the_runs():
    def lucky(rng):
        made.append(rng.integers(9))
        return "nothing of use" if len(made) == 1 else Topology.grid((3, 3))

    made = []
    found = quiet(topology=lucky, ticks=1, replicates=3)
    assert len(made) == 3 and found.failures.replicate.tolist() == [0]


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


@pytest.mark.parametrize("workers", [None, 2])
def test_disk_full(tmp_path, workers):
    code = textwrap.dedent("""
        import resource, sys
        from organism.sweeps import sweep
        def draw(params, rng):
            return {f"x{i}": rng.normal() for i in range(50)}
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        try:
            sweep(draw, vary={"a": [1, 2]}, rng=1, store=sys.argv[1], workers=eval(sys.argv[2]), progress=False)
        except OSError as error:
            print(error)
    """)
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "store"), str(workers)], capture_output=True,
                          text=True)
    assert re.search("cannot be written: .*File too large", done.stdout) and "run the same call again" in done.stdout
    assert os.listdir(tmp_path / "store" / "parts") == []


SLEEPY = textwrap.dedent("""
    import os, sys, time
    from organism.sweeps import sweep

    def sleepy(params, rng):
        time.sleep(.2)
        with open(sys.argv[2] + "/" + str(os.getpid()), "a"):  # who is at work
            return {"x": rng.normal()}

    if __name__ == "__main__":
        sweep(sleepy, vary={"a": list(range(20))}, rng=1, store=sys.argv[1], workers=2, progress=False)
""")


def alive(pid) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="processes are looked up in /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_sweep_with_workers_that_is_stopped(tmp_path, how):
    """Whatever ends it, what is finished is kept, the next call continues, and no process stays behind."""
    (tmp_path / "sleepy.py").write_text(SLEEPY)
    (tmp_path / "pids").mkdir()
    command = [sys.executable, str(tmp_path / "sleepy.py"), str(tmp_path / "store"), str(tmp_path / "pids")]
    # A group of its own, so that Ctrl-C reaches the workers too, as it does in a terminal.
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    parts, deadline = tmp_path / "store" / "parts", time.time() + 60
    while time.time() < deadline and (not parts.exists() or len(os.listdir(parts)) < 5
                                      or len(os.listdir(tmp_path / "pids")) < 2):     # both workers are at it
        time.sleep(.05)
    (os.killpg if how == signal.SIGINT else os.kill)(child.pid, how)
    said = child.communicate(timeout=30)[1]
    assert child.returncode != 0
    if how == signal.SIGINT:
        assert re.search(r"\d+ of 20 runs finished; run the same call again to continue", said)
    workers = [int(name) for name in os.listdir(tmp_path / "pids")]
    deadline = time.time() + 10
    while time.time() < deadline and any(map(alive, workers)):
        time.sleep(.1)
    assert len(workers) == 2 and not any(map(alive, workers))
    before = {o.key for o in Store(tmp_path / "store").read()}
    assert 5 <= len(before) < 20
    subprocess.run(command, check=True, timeout=60)
    after = [o.key for o in Store(tmp_path / "store").read()]
    assert len(after) == len(set(after)) == 20 and before < set(after)


@pytest.mark.parametrize("workers", [None, 1])
def test_time_limit_in_the_compiled_kernel(workers):
    found = quiet(topology=(48, 48), ticks=10**9, time_limit=1., workers=workers)
    assert found.failures.error.tolist() == ["TimeLimit"] and found.runs.seconds[0] < 4
    assert "stopped at the time limit of 1 s" in found.failures.message[0]


@pytest.mark.parametrize("workers", [None, 1])
def test_progress_names_what_is_slow_and_what_failed(workers, monkeypatch, capsys):
    monkeypatch.setattr("organism._progress.LEAST", .5)
    monkeypatch.setattr("organism._engines.BATCH", 0.)  # each run is handed over by itself

    def slow(params, rng):
        if params["a"] == "bad":
            raise ValueError("no")
        time.sleep(2.5 if params["a"] == "slow" else .01)
        return 1

    sweep(slow, vary={"a": [1, 2, 3, "bad", "slow"]}, rng=1, workers=workers)
    said = capsys.readouterr().err
    assert re.search("1 failed, last a=bad replicate 0: ValueError; slow: a=slow replicate 0, [12] s", said)
    assert "5/5" in said


def test_a_worker_that_dies_costs_only_its_own_batch(tmp_path):
    """What a batch had finished before it lost its process is in the store once a second."""
    def late(params, rng):
        time.sleep(.3)
        if params["a"] == 7 and not (tmp_path / "flag").exists():
            (tmp_path / "flag").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return draw(params, rng)

    plan = Plan(late, "function")
    tasks = Tasks([{"a": a} for a in range(8)], 1, 1, False, "late")
    store = Store(tmp_path / "store")
    child = multiprocessing.get_context("fork").Process(target=execute, args=(plan, list(tasks), store))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL and len(list(store.read())) >= 4


@pytest.mark.parametrize("workers", [None, 1])
def test_interrupt_without_a_store_leaves_whole_rows(workers, tmp_path):
    """What was finished by then is in the error."""
    def series(params, rng):
        if params["a"] == 2:
            os.kill(int(params["sweep"]), signal.SIGINT)
            time.sleep(5 if params["wait"] else 0)
        return [{"x": params["a"], "y": t} for t in range(3)]

    with pytest.raises(KeyboardInterrupt, match="give a store to be able to continue") as stopped:
        quiet(series, params={"sweep": os.getpid(), "wait": workers}, vary={"a": [0, 1, 2, 3]}, workers=workers)
    frame = stopped.value.sweep.frame
    assert len(frame) >= 3 and (frame.x == frame.a).all() and frame.y.tolist() == [0, 1, 2] * (len(frame) // 3)


def test_an_executor_that_breaks(expected, tmp_path):
    """Its owner is asked for another, with which the same call continues."""
    flag = {"flag": str(tmp_path / "flag")}
    with cf.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        with pytest.raises(RuntimeError, match="make a new executor and run the same call again"):
            quiet(deadly, params=flag, vary=GRID, replicates=4, executor=pool, store=tmp_path / "store")
    with cf.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = quiet(deadly, params=flag, vary=GRID, replicates=4, executor=pool, store=tmp_path / "store")
    assert found.frame.x.tolist() == expected.x.tolist()
