"""The store of sweeps: nothing finished is lost or counted twice, and memory stays bounded."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pytest
from sweep_cases import GRID, draw, fragile, quiet

from organism._runs import Outcome
from organism._store import MANY, Store


@pytest.fixture(scope="module")
def expected():
    return quiet(draw, vary=GRID, replicates=4).frame


@pytest.mark.parametrize("parquet", [True, False])
def test_store_skips_what_is_finished(expected, tmp_path, parquet, monkeypatch):
    if not parquet:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    else:
        pytest.importorskip("pyarrow")
    quiet(draw, vary=GRID, replicates=2, store=tmp_path)
    before = set(os.listdir(tmp_path / "parts"))
    assert {name.rpartition(".")[2] for name in before} == {"parquet" if parquet else "jsonl"}
    found = quiet(draw, vary=GRID, replicates=4, store=tmp_path)
    pd.testing.assert_frame_equal(found.frame, expected, check_exact=True)
    assert len(list(found._store.read())) == 12 and before < set(os.listdir(tmp_path / "parts"))


def test_stores_that_are_refused(tmp_path):
    with pytest.raises(OSError, match="cannot be written"):
        quiet(draw, vary=GRID, store="/proc/organism-store")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="neither empty nor"):
        quiet(draw, vary=GRID, store=tmp_path)
    for form, kind in ((0, "older"), (99, "newer")):
        (tmp_path / "sweep.json").write_text(json.dumps({"format": form}))
        (tmp_path / "parts").mkdir(exist_ok=True)
        with pytest.raises(ValueError, match=f"{kind} format {form}"):
            quiet(draw, vary=GRID, store=tmp_path)




def test_a_store_remembers_its_seed(tmp_path):
    first = quiet(draw, vary=GRID, rng=None, store=tmp_path)
    again = quiet(draw, vary=GRID, rng=None, store=tmp_path, replicates=2)
    assert first.seed == again.seed == json.loads((tmp_path / "sweep.json").read_text())["seed"]
    assert len(list(again._store.read())) == 6
    pd.testing.assert_frame_equal(again.frame[again.frame.replicate == 0].reset_index(drop=True), first.frame)
    assert quiet(draw, vary=GRID, rng=None).seed != first.seed
    (tmp_path / "sweep.json").write_text('{"format": 1}')
    with pytest.raises(ValueError, match="rng must be given with the store"):
        quiet(draw, vary=GRID, rng=None, store=tmp_path)


def test_what_failed_is_tried_again(expected, tmp_path):
    class Moody:
        """Fails while a file is there."""

        def __call__(self, params, rng):
            return fragile(params, rng) if (tmp_path / "moody").exists() else draw(params, rng)

    (tmp_path / "moody").touch()
    moody = Moody()
    found = quiet(moody, vary=GRID, replicates=4, store=tmp_path / "store")
    assert len(found.failures) == 4 and len(found.frame) == 8 and found.runs.error.notna().sum() == 4
    (tmp_path / "moody").unlink()
    found = quiet(moody, vary=GRID, replicates=4, store=tmp_path / "store")
    assert len(found.failures) == 0 and len(list(found._store.read())) == 16
    pd.testing.assert_frame_equal(found.frame, expected, check_exact=True)


@pytest.mark.parametrize("parquet", [True, False])
def test_many_parts_are_merged(tmp_path, parquet, monkeypatch):
    """Runs written twice, failures and series included; a damaged part is neither merged nor lost."""
    if not parquet:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    else:
        pytest.importorskip("pyarrow")
    store, written = Store(tmp_path / "store"), {}
    for i in [*range(MANY + 20), *range(30)]:
        name = f"{i:032x}"
        error = ("ValueError", "no", "here") if i % 7 == 0 and name not in written else None
        rows = None if error else [{"tick": t, f"x{i % 3}": i + t / 3} for t in range(3)]
        written[name] = Outcome(name, i, i, {"a": (1, 2), "b": None}, rows, .5, error)
        store.write([written[name]])
    damaged = store.parts / ("damaged." + ("parquet" if parquet else "jsonl"))
    damaged.write_bytes(b"PAR1 no")
    before = len(store._files())
    if parquet:
        store.merge()
        assert damaged.exists() and len(store._files()) == 2 < before
        damaged.unlink()
    else:
        damaged.unlink()
        store.merge()
        assert len(store._files()) == 1
    read = list(store.read())
    well = [o for o in read if o.error is None]
    assert {o.key for o in read} == set(written) and all(o.rows is None for o in read if o.error)
    assert {(o.key, tuple(map(tuple, (row.items() for row in o.rows)))) for o in well} == {
        (o.key, tuple(map(tuple, (row.items() for row in o.rows)))) for o in written.values() if o.error is None}
    assert not parquet or len(well) == len({o.key for o in well})
    store.merge()
    assert len(store._files()) == 1


def test_merging_beside_a_reader_loses_nothing(tmp_path):
    """The parts that a reader has listed are merged before it opens them, twice."""
    store = Store(tmp_path)
    keys = [f"{i:032x}" for i in range(MANY + 1)]
    for name in keys:
        store.write([Outcome(name, 0, 0, {}, [{"x": 1.}], .1, None)])
    reader = store.read()
    found = [next(reader).key]
    store.merge()
    found.append(next(reader).key)
    for i in range(MANY):
        store.write([Outcome(f"{i:032x}", 0, 0, {}, [{"x": 1.}], .1, None)])
    store.merge()
    found += [outcome.key for outcome in reader]
    assert set(found) == set(keys)


def test_a_long_sweep_merges_as_it_goes(tmp_path, monkeypatch):
    monkeypatch.setattr("organism.sweeps.MANY", 6)
    monkeypatch.setattr("organism._store.MANY", 6)
    monkeypatch.setattr("organism._engines.BATCH", 0.)
    found = quiet(draw, vary={"a": range(40)}, store=tmp_path)
    assert len(list(found._store.read())) == 40 == len(found.frame) and len(os.listdir(tmp_path / "parts")) <= 10


def test_two_processes_on_one_store(expected, tmp_path):
    code = textwrap.dedent("""
        import os, sys, time
        from sweep_cases import GRID, draw, quiet
        def slowly(params, rng):
            time.sleep(.02)
            return draw(params, rng)
        here, other = sys.argv[2:]
        open(here, "w").close()
        while not os.path.exists(other):
            time.sleep(.01)
        found = quiet(slowly, vary=GRID, replicates=30, store=sys.argv[1], rng=None, version="1")
        print(found.frame.to_json(double_precision=15))
    """)
    (tmp_path / "both.py").write_text(code)
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(__file__)}
    flags = [str(tmp_path / "one"), str(tmp_path / "two")]
    both = [subprocess.Popen([sys.executable, str(tmp_path / "both.py"), str(tmp_path / "store"), *names],
                             stdout=subprocess.PIPE, env=environment) for names in (flags, flags[::-1])]
    texts = [process.communicate(timeout=100)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0] and texts[0] == texts[1]
    seed = json.loads((tmp_path / "store" / "sweep.json").read_text())["seed"]
    alone = quiet(draw, vary=GRID, replicates=30, rng=seed).frame
    assert texts[0].decode().strip() == alone.to_json(double_precision=15)
    keys = [o.key for o in Store(tmp_path / "store").read()]
    assert len(set(keys)) == 90 < len(keys)


def test_a_store_made_by_another_process_meanwhile(tmp_path, monkeypatch):
    listed = Path.iterdir

    def meanwhile(path):
        monkeypatch.setattr(Path, "iterdir", listed)
        seeds.append(Store(tmp_path).seed)
        return path.iterdir()

    seeds = []
    monkeypatch.setattr(Path, "iterdir", meanwhile)
    seeds.append(Store(tmp_path).seed)
    assert len(seeds) == 2 and seeds[0] == seeds[1]


def test_reading_in_pieces(tmp_path):
    def series(params, rng):
        return [{"x": params["a"] + t} for t in range(3)]

    found = quiet(series, vary=[{"a": 1}, {"a": 2}, {"a": 1}], replicates=50, store=tmp_path)
    pieces = list(found.iter_frames(rows=40))
    assert len(pieces) > 2 and len(found.frame) == 450
    together = pd.concat(pieces).sort_values(["a", "replicate", "tick"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(together, found.frame.sort_values(["a", "replicate", "tick"], kind="stable")
                                  .reset_index(drop=True))
    raw = pytest.importorskip("pyarrow.dataset").dataset(tmp_path / "parts").to_table().to_pandas()
    assert raw.groupby("key")["measure.x"].count().tolist() == [3] * 100


def test_memory_is_bounded(tmp_path):
    """Four times the runs take hardly more memory while they run, and so does looking up what is finished."""
    code = textwrap.dedent("""
        import sys, tracemalloc
        from sweep_cases import quiet
        def trivial(params, rng):
            return {"x": 1., "y": 2.}
        def peak(runs, store):
            tracemalloc.start()
            quiet(trivial, vary={"a": range(10)}, replicates=runs // 10, store=store)
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return found
        peak(100, sys.argv[1] + "/warm")
        for name, runs in (("few", 2_000), ("many", 8_000)) * 2:
            print(peak(runs, f"{sys.argv[1]}/{name}"))
    """)
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": os.path.dirname(__file__)})
    few, many, few_again, many_again = map(int, done.stdout.split())
    print(few, many, few_again, many_again)
    # Bytes a run; as objects a task and its row take over 1,000.
    assert (many - few) / 6_000 < 250 and (many_again - few_again) / 6_000 < 400
