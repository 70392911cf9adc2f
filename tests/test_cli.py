"""The command line: what it prints and writes, and one sentence for every mistake."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import organism as og
from organism.__main__ import main
from organism._commands import files

FOUND = {"wholes_map.png", "wholes_matrix.png"}
FILES = {"summary.json", "series.csv", "members.csv", "interdependence.graphml", "world.npz", "figure.png", *FOUND}
WINDOWS = {"snapshots", "windows.csv", "flows.csv", "last_window.graphml", "wholes_over_time.png"}
NETWORK = {"summary.json", "membership.csv", "flows.png"}


@pytest.fixture(autouse=True)
def somewhere(request, tmp_path, monkeypatch):
    """Work in a folder of one's own; what chance makes of wholes takes seconds, and only tests of it wait for it."""
    monkeypatch.chdir(tmp_path)
    import matplotlib

    from organism._commands import emergent

    matplotlib.use("Agg")
    if not re.search("wholes|roles|window|ties|snapshots|network|groups|chance", request.node.name):
        monkeypatch.setattr(emergent, "CHEAP", -1)


def table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def result(folder="organism-run"):
    return json.loads(Path(folder, "summary.json").read_text(encoding="utf-8"))


def expected(folder="organism-run"):
    """Return what a run writes: without wholes no matrix that is sorted by them."""
    found = result(folder)["results"].get("wholes")
    return FILES - (FOUND if found is None else set() if found["levels"] else {"wholes_matrix.png"})


def refused(capsys, *words):
    """Run a command that must be refused; return its one sentence."""
    assert main(list(words)) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("organism: error: "), err
    assert "Traceback" not in err
    return err


def process(*words, **options):
    return subprocess.Popen([sys.executable, "-m", "organism", *words], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c, **options)


def heed_ctrl_c():
    """Undo what a shell that starts tests in the background tells its children: to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


# -- what comes out -----------------------------------------------------------------------

def test_run_writes_and_says_what_came_of_it(capsys):
    assert main(["run", "--size", "9x6", "--ticks", "120", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    for word in ("9×6 torus", "seed 3", "Welfare", "Means since tick ", "Division of labour",
                 "At the end, tick 120:", "Dependence", "Goods", "ok", "organism-run"):
        assert word in out
    folder = Path("organism-run")
    assert {path.name for path in folder.iterdir()} == expected()
    assert ("There is no wholes_matrix.png, because" in out) == (not result()["results"]["wholes"]["levels"])
    found = result()
    world = og.World.load(folder / "world.npz")
    assert found["seed"] == world.seed == 3 and found["ticks"] == world.tick == 120
    assert og.Params.from_dict(found["parameters"]) == og.Params.preset("organic")
    assert found["audit"]["closes"] and found["versions"]["organism"] == og.__version__
    assert found["results"]["welfare"] == pytest.approx(og.measures.welfare(world))
    recent = [float(row["welfare"]) for row in table(folder / "series.csv")][-12:]
    assert found["results"]["recent_means"]["welfare"] == pytest.approx(np.mean(recent), rel=1e-6)
    test = found["results"]["division_of_labour_test"]
    assert test["raw_null_mean"] <= test["raw_null_max"] and 0 < test["pvalue"] <= 1
    assert test["raw"] == pytest.approx(og.measures.division_of_labour(world, corrected=False))
    assert test["corrected"] == pytest.approx(found["results"]["division_of_labour"])
    assert f"Division of labour{test['corrected']:>11.2f}" in out
    series, members = table(folder / "series.csv"), table(folder / "members.csv")
    assert int(series[0]["tick"]) == 0 and int(series[-1]["tick"]) == 120
    for name in ("welfare", "division_of_labour"):
        assert float(series[-1][name]) == pytest.approx(found["results"][name], rel=1e-6)
    assert {"row", "column", "uid", "welfare", "stock_2", "dominant_task"} <= set(members[0])
    assert len(members) == 54
    assert (members[7]["row"], members[7]["column"]) == ("0", "7")
    graph = nx.read_graphml(folder / "interdependence.graphml")
    assert graph.is_directed() and len(graph) == 54
    assert (folder / "figure.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("preset, divided", [("selfish", False), ("organic", True)])
def test_labour_is_judged_by_size_and_not_by_p_alone(capsys, preset, divided):
    # 3000 ticks, the default: a selfish world starts with passing roles (about .12 at tick 1000)
    # that are gone by then (.003), while an organic world's are still growing (.36).
    assert main(["run", "--preset", preset, "--size", "24", "--seed", "1", "--ticks", "3000"]) == 0
    out, found = capsys.readouterr().out, result()["results"]
    assert ("labour is divided" in out) == divided
    corrected = found["division_of_labour_test"]["corrected"]
    assert corrected > .3 if divided else corrected < .05
    assert (found["roles"]["number"] > 1) == divided
    assert ("prediction strength" in out) and found["roles"]["ticks"] == [2001, 3000]


@pytest.mark.parametrize("pvalue, corrected, said", [
    (.005, .1, "labour is divided"), (.005, .099, "beyond chance, but tiny: labour is hardly divided"),
    (.05, .5, "no more than chance"), (.5, .0, "no more than chance"),
])
def test_the_verdict_on_labour(pvalue, corrected, said):
    from organism._commands.summary import verdict

    assert verdict({"defined": True, "pvalue": pvalue, "corrected": corrected}).startswith(said + " (p = ")
    assert "two members" in verdict({"defined": False, "pvalue": pvalue, "corrected": corrected})


def test_the_first_line_names_every_change(capsys):
    words = ["run", "--size", "4", "--ticks", "2", "--preset", "selfish", "--set", "care.weight = 0.1"]
    assert main([*words, "--set", "metabolism.need=1,1,0.5"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert "preset selfish with care.weight=0.1, metabolism.need=1,1,0.5, 4×4 torus" in first


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_goods_that_do_not_add_up_are_an_error(capsys, monkeypatch, quiet):
    from organism.records import Audit

    monkeypatch.setattr(Audit, "relative", property(lambda self: 1e-3))
    assert main(["run", "--size", "4", "--ticks", "2", *quiet]) == 1
    out, err = capsys.readouterr()
    assert "organism: error: the goods do not add up: 1e-03 of what came in is unaccounted for" in err
    assert ("WRONG" in out) == (not quiet)
    assert {path.name for path in Path("organism-run").iterdir()} == expected()
    assert result()["audit"]["closes"] is False


def test_tables_hold_seven_digits():
    assert main(["run", "--size", "4", "--ticks", "20", "--quiet", "--seed", "1"]) == 0
    members, world = table("organism-run/members.csv"), og.World.load("organism-run/world.npz")
    for row in [*members, *table("organism-run/series.csv")]:
        for cell in row.values():
            assert f"{float(cell):.7g}" == cell or str(int(cell)) == cell
    np.testing.assert_allclose([float(row["learning_rate"]) for row in members],
                               world.state["learning_rate"][world.living], rtol=1e-6)


def test_seed_repeats_a_run_at_any_number_of_threads():
    for folder, threads in (("a", "1"), ("b", "2")):
        main(["run", "--size", "8", "--ticks", "40", "--seed", "5", "--threads", threads, "--out", folder,
              "--quiet"])
    for name in ("series.csv", "members.csv", "interdependence.graphml"):
        assert Path("a", name).read_bytes() == Path("b", name).read_bytes()


def test_default_folder_is_numbered_and_quiet_is_quiet(capsys):
    for _ in range(3):
        assert main(["run", "--size", "4", "--ticks", "3", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert {"organism-run", "organism-run-2", "organism-run-3"} == set(os.listdir())


def test_a_graph_file_keeps_its_names_and_weights():
    nx.write_graphml(nx.les_miserables_graph(), "mis.graphml")
    assert main(["run", "--graph", "mis.graphml", "--ticks", "30", "--quiet"]) == 0
    assert main(["run", "--graph", "les_miserables", "--ticks", "30", "--quiet", "--out", "named"]) == 0
    members = table("organism-run/members.csv")
    assert len(members) == 77 and "Valjean" in {row["node"] for row in members}
    assert "Valjean" in nx.read_graphml("named/interdependence.graphml")
    world = og.World.load("organism-run/world.npz")
    assert world.topology.weight is not None and world.topology.weight.max() == 31


def test_directed_edge_lists():
    Path("d.txt").write_text("a b\nb c\nc a\na c\n")
    assert main(["run", "--graph", "d.txt", "--directed", "--ticks", "9", "--quiet"]) == 0
    topology = og.World.load("organism-run/world.npz").topology
    assert topology.directed and topology.n_ties == 4


def test_one_map_sets_size_and_every_supply():
    grid = np.arange(12.).reshape(3, 4)
    np.savetxt("map.txt", grid)
    assert main(["run", "--supply", "map.txt", "--ticks", "2", "--quiet"]) == 0
    supply = og.World.load("organism-run/world.npz").state["supply"]
    np.testing.assert_allclose(supply, np.repeat(grid.reshape(-1, 1) / grid.mean(), 3, axis=1), rtol=1e-6)
    assert main(["run", "--supply", "map.txt", "--size", "4x3", "--supply-scale", "none", "--ticks", "2",
                 "--quiet", "--out", "raw"]) == 0
    np.testing.assert_allclose(og.World.load("raw/world.npz").state["supply"][:, 0], grid.ravel())


def test_files_set_each_resource():
    np.save("a.npy", np.full((3, 3), 2.))
    Path("b.csv").write_text("1,2,3\n" * 3)
    assert main(["run", "--supply", "a.npy", "b.csv", "--set", "resources=2", "--ticks", "2", "--quiet"]) == 0
    supply = og.World.load("organism-run/world.npz").state["supply"]
    np.testing.assert_allclose(supply[:3], [[1, .5], [1, 1], [1, 1.5]])


def test_supply_by_node():
    np.savetxt("column.txt", np.arange(34.) + 1)
    np.savetxt("table.txt", np.ones((34, 3)))
    for name in ("column.txt", "table.txt"):
        assert main(["run", "--graph", "karate", "--supply", name, "--ticks", "2", "--quiet"]) == 0


@pytest.mark.parametrize("words", [
    ["--size", "1"], ["--size", "1x5"], ["--size", "5", "--ticks", "0"],
    ["--graph", "karate", "--set", "resources=1"],
    ["--size", "5", "--preset", "evolving", "--set", "demography.hazard=1", "--set", "demography.refill=0"],
    ["--size", "6", "--preset", "resting"], ["--size", "5", "--set", "production.depletion=0.1"],
], ids=" ".join)
def test_edge_cases_run_to_the_end(words, capsys):
    assert main(["run", "--ticks", "25", *words]) == 0
    nothing = "0" in words                                  # ticks: nobody did anything yet
    assert {path.name for path in Path("organism-run").iterdir()} == (FILES - FOUND if nothing else expected())
    assert ("roles" in result()["results"]) == ("wholes" in result()["results"]) == (not nothing)
    assert result()["audit"]["closes"]


@pytest.mark.parametrize("given, name, value", [
    ("care.weight=0.5", "care.weight", .5), ("care.weight=.5", "care.weight", .5),
    (" care.kind = kin", "care.kind", "kin"), ("production.rest=true", "production.rest", True),
    ("production.rest=True", "production.rest", True), ("learning.perception=1", "learning.perception", 1),
    ("metabolism.need=1,.5,2e0", "metabolism.need", (1, .5, 2)),
    ("metabolism.need=[1, 0.5, 2]", "metabolism.need", (1, .5, 2)),
    ("metabolism.harmful=2", "metabolism.harmful", (2,)),
    ("demography.mutates=care,capability", "demography.mutates", ("care", "capability")),
    ("demography.mutates=none", "demography.mutates", ()), ("demography.mutates=", "demography.mutates", ()),
    ("metabolism.complementarity=leontief", "metabolism.complementarity", "leontief"),
])
def test_set_reads_values(given, name, value):
    from organism._commands.build import read_params

    assert read_params("organic", [given])[name] == value


# -- roles, wholes and windows --------------------------------------------------------------

@pytest.fixture(scope="module")
def seams(tmp_path_factory):
    """A run on land with poor seams, shallow ones every 8 sites and deep ones every 16, and windows of 300 ticks."""
    land = np.ones((32, 32))
    land[::8] = land[:, ::8] = .5
    land[::16] = land[:, ::16] = .05
    home = tmp_path_factory.mktemp("seams")
    np.savetxt(home / "land.txt", land)
    words = ["run", "--supply", str(home / "land.txt"), "--ticks", "900", "--seed", "1", "--snapshots", "300"]
    said = subprocess.run([sys.executable, "-m", "organism", *words, "--out", str(home / "run")], check=True,
                          capture_output=True, text=True).stdout
    return home / "run", said


def test_a_run_tells_of_roles_and_wholes_of_its_last_third(seams):
    folder, said = seams
    found, world = result(folder)["results"], og.World.load(folder / "world.npz")
    assert {path.name for path in folder.iterdir()} == FILES | WINDOWS
    taken = og.Snapshots.read(folder / "snapshots")
    third = og.find_wholes(taken.window(600, 900), rng=0)
    assert found["wholes"]["ticks"] == found["roles"]["ticks"] == [601, 900] and "In ticks 601 to 900:" in said
    assert [level["wholes"] for level in found["wholes"]["levels"]] == [one.n_wholes for one in third] == [16, 4]
    assert all(level["stands"] for level in found["wholes"]["levels"]) and found["wholes"]["nulls"] == 19
    assert "stands: 4 wholes of" in " ".join(said.split()) and "4 roles" in said
    members = table(folder / "members.csv")
    assert [int(row["whole_1"]) for row in members] == third[1].labels[np.argsort(third.trade.uid)][
        world.state["uid"][world.living]].tolist()
    assert 0 <= found["roles"]["halfway"] < .5 and not found["roles"]["underdetermined"]
    assert set(found["roles"]["strength_error"]) == set(found["roles"]["prediction_strength"])
    sizes = [one["members"] for one in found["roles"]["roles"]]
    assert np.bincount([int(row["role"]) for row in members]).tolist() == sizes and len(sizes) == 4
    graph = nx.read_graphml(folder / "interdependence.graphml")
    assert [data["whole_1"] for _, data in graph.nodes(data=True)] == [int(row["whole_1"]) for row in members]
    assert found["wholes_over_time"]["windows_end"] == [300, 600, 900]
    assert "wholes followed through 3 windows" in said


def test_windows_are_written_sparse_tidy_and_as_a_graph(seams):
    import pandas as pd

    folder, _ = seams
    taken = og.Snapshots.read(folder / "snapshots")
    assert len(taken) == 3 and taken.ticks[-1] == 900
    frame = pd.read_csv(folder / "flows.csv")
    pd.testing.assert_frame_equal(frame, pd.concat(taken.frames(), ignore_index=True), rtol=1e-6, check_dtype=False)
    assert frame["weight"].to_numpy() == pytest.approx(frame[["r0", "r1", "r2"]].sum(axis=1).to_numpy(), rel=1e-5)
    windows = pd.read_csv(folder / "windows.csv")
    assert windows["tick"].tolist() == taken.ticks.tolist()
    assert windows["goods"].to_numpy() == pytest.approx(frame.groupby("stop")["weight"].sum().to_numpy(), rel=1e-5)
    graph = nx.read_graphml(folder / "last_window.graphml")
    last = frame[frame["stop"] == 900]
    assert graph.graph["start"] == 600 and graph.number_of_edges() == len(last)
    assert sum(data["r1"] for *_, data in graph.edges(data=True)) == pytest.approx(last["r1"].sum(), rel=1e-5)


def test_of_many_windows_the_last_are_in_the_table_and_it_is_said(capsys, monkeypatch):
    from organism._commands import emergent

    monkeypatch.setattr(emergent, "ROWS", 500)
    monkeypatch.setattr(emergent, "WINDOWS", 3)
    assert main(["run", "--size", "8", "--ticks", "64", "--snapshots", "10", "--seed", "1"]) == 0
    stops = [int(row["stop"]) for row in table("organism-run/flows.csv")]
    assert stops[-1] == 64 and stops[0] > 10 and len(stops) <= 500
    assert f"flows.csv holds the last {len(set(stops))} of 7 windows" in capsys.readouterr().out
    followed = result()["results"]["wholes_over_time"]
    assert sorted(followed["windows_end"] + followed["windows_without"]) == [20, 40, 60]
    assert Path("organism-run/wholes_over_time.png").exists() == any(followed["wholes"])


def test_uniform_land_has_no_wholes(capsys):
    assert main(["run", "--size", "32", "--ticks", "600", "--seed", "1"]) == 0
    out, written = capsys.readouterr().out, {path.name for path in Path("organism-run").iterdir()}
    assert "No wholes" in out and result()["results"]["wholes"]["levels"] == []
    assert "There is no wholes_matrix.png, because no wholes were found." in out and "wholes_map.png" in written
    assert "wholes_matrix.png" not in written


def test_without_nulls_it_is_said_that_it_may_be_chance(seams, capsys):
    land = str(seams[0].parent / "land.txt")
    assert main(["run", "--supply", land, "--ticks", "300", "--seed", "1", "--nulls", "0"]) == 0
    found = result()["results"]["wholes"]
    assert found["nulls"] == 0 and found["standing"] is None and found["levels"][0]["stands"] is None
    out = capsys.readouterr().out
    assert "These may be chance" in out and "stands" not in out


@pytest.mark.parametrize("ran, window", [(5, (0, 5)), (22, (10, 20)), (27, (20, 27)), (30, (20, 30))])
def test_of_a_run_cut_short_the_last_long_part_is_read(tmp_path, ran, window):
    from organism._commands.emergent import Watch, look

    params = og.Params.preset("evolving").replace(**{"demography.hazard": .03, "care.weight": .75})
    world = og.World(og.Topology.grid((12, 12)), params, rng=1, ledger=True)
    watch = Watch(world, 30, None, tmp_path)
    world.step(ran)
    watch.finish()
    found = look(watch, None, lambda words: None, False)
    assert (found.snapshot.start, found.snapshot.stop) == window
    uid = world.state["uid"][world.living]
    then = set(found.snapshot.uid.tolist())
    roles = dict(zip(found.roles.uid.tolist(), found.roles.labels.tolist(), strict=True))
    assert found.columns(uid)["role"].tolist() == [roles.get(one, -1) for one in uid.tolist()]
    assert bool(set(uid.tolist()) - then) == (window[1] < ran)      # who was born later has none
    world.step(10)
    assert watch.thirds.ticks[-1] == ran                            # nothing more is taken


def test_ctrl_c_leaves_out_roles_and_wholes_but_writes_the_rest(capsys, monkeypatch):
    from organism._commands import emergent

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(emergent, "find_wholes", stopped)
    assert main(["run", "--size", "6", "--ticks", "30", "--snapshots", "10"]) == 130
    assert "stopped by Ctrl-C while looking for roles and wholes" in capsys.readouterr().err
    assert {path.name for path in Path("organism-run").iterdir()} == FILES - FOUND | WINDOWS - {"wholes_over_time.png"}
    assert "wholes" not in result()["results"] and not result()["stopped_early"]


# -- anybody's network --------------------------------------------------------------------

def planted(path):
    """Write three groups of twenty who trade among themselves as an edge list with a header; return the groups."""
    rng = np.random.default_rng(1)
    lines = ["source,target,weight"]
    for i in range(60):
        for j in range(60):
            if i != j and rng.random() < (.7 if i // 20 == j // 20 else .05):
                lines.append(f"n{i},n{j},{rng.exponential():.4f}")
    Path(path).write_text("\n".join(lines) + "\n")
    return [i // 20 for i in range(60)]


def test_wholes_of_a_file(capsys):
    groups = planted("trade.csv")
    assert main(["wholes", "trade.csv", "--directed", "--seed", "1"]) == 0
    out = capsys.readouterr().out
    assert "stands: 3 wholes of 20 members each" in " ".join(out.split()) and "3 blocks" in out and "seed 1" in out
    folder, told = Path("organism-wholes"), result("organism-wholes")
    levels = {f"level_{i}.{kind}" for i in range(len(told["wholes"]["levels"])) for kind in ("graphml", "png")}
    assert {path.name for path in folder.iterdir()} == NETWORK | levels | {
        "levels.csv", "tree.png", "matrix.png", "nulls.png"} and levels
    rows = {row["node"]: row for row in table(folder / "membership.csv")}
    for column in ("level_0", "block"):
        found = [int(rows[f"n{i}"][column]) for i in range(60)]
        assert len(set(zip(found, groups, strict=True))) == len(set(found)) == 3
    flows = nx.read_graphml(folder / "level_0.graphml")
    given = sum(float(row["weight"]) for row in table("trade.csv"))
    assert flows.is_directed() and len(flows) == 3 and flows.size(weight="weight") == pytest.approx(given)
    inside = sum(data["weight"] for a, b, data in flows.edges(data=True) if a == b) / given
    finest = {row["statistic"]: row for row in table(folder / "levels.csv") if row["level"] == "0"}
    assert float(finest["closure"]["observed"]) == pytest.approx(inside, rel=1e-6) and inside > .7
    assert float(finest["modularity"]["degrees_above"]) == .05
    assert told["ties_are"] == "found" and told["wholes"]["levels"][0]["stands"] and told["roles"]["stands"]
    for path in folder.glob("*.png"):
        assert path.read_bytes()[:4] == b"\x89PNG"


def test_a_random_network_has_none(capsys):
    nx.write_graphml(nx.gnp_random_graph(60, .1, seed=1, directed=True), "random.graphml")
    assert main(["wholes", "random.graphml", "--seed", "1"]) == 0
    out = capsys.readouterr().out
    assert "stands" not in out and ("No wholes" in out or "No level beats its null" in out) and "No blocks" in out
    assert not result("organism-wholes")["wholes"]["standing"]


@pytest.mark.parametrize("method", ["networkx", "infomap"])
def test_other_methods_find_the_same_groups(method):
    if method == "infomap":
        pytest.importorskip("infomap")
    planted("trade.csv")
    for one in ("louvain", method):
        assert main(["wholes", "trade.csv", "--directed", "--seed", "1", "--method", one, "--out", one,
                     "--nulls", "0", "--quiet"]) == 0
    mine, other = table("louvain/membership.csv"), table(f"{method}/membership.csv")
    pairs = [set(zip([row["level_0"] for row in mine], [row[name] for row in other], strict=True))
             for name in other[0] if name.startswith("level_")]
    assert result(method)["wholes"]["method"] == method
    for one in result("louvain")["wholes"]["levels"]:
        assert one["bootstrap"] is None and one["other_method"]["method"] == "networkx"
        assert one["other_method"]["agreement"] <= 1 and one["other_method"]["wholes"] > 1
    assert result(method)["roles"]["underdetermined"] in (True, False)
    assert 3 in [len(pair) for pair in pairs]               # a level with the same three groups


def test_same_seed_same_wholes_and_quiet_is_quiet(capsys):
    for folder in ("a", "b"):
        assert main(["wholes", "karate", "--seed", "7", "--out", folder, "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    for name in ("membership.csv", "levels.csv", "summary.json", "level_0.graphml"):
        assert Path("a", name).read_bytes() == Path("b", name).read_bytes()


def test_ties_of_our_own_worlds_are_given(seams, capsys):
    assert main(["wholes", str(seams[0] / "last_window.graphml"), "--seed", "1", "--quiet"]) == 0
    told = result("organism-wholes")["wholes"]
    assert result("organism-wholes")["ties_are"] == "given"
    assert told["levels"] and all("degrees" not in level["nulls"] for level in told["levels"])
    assert {"r0", "r1", "r2", "weight"} <= set(next(iter(
        nx.read_graphml("organism-wholes/level_0.graphml").edges(data=True)))[2])


@pytest.mark.parametrize("edges, nodes", [
    ([(1, 2, {"weight": 0.}), (2, 3, {"weight": 0.})], {}), ([(1, 1, {})], {}), ([(1, 2, {"weight": 1e100})], {}),
    ([(1, 2, {}), (2, 3, {})], {"dominant_task": "worker", "x": "north", "y": "far", "uid": 7}),
    ([(1, 2, {"weight": 2, "r0": 1.5}), (2, 3, {"weight": 2}), (3, 1, {})], {}), ([("a & b", "<c>", {})], {}),
], ids=["nothing flows", "a loop", "much", "attributes of its own", "resources of some", "odd names"])
@pytest.mark.filterwarnings("error")
def test_odd_networks_are_read(edges, nodes):
    graph = nx.DiGraph(edges)
    for data in graph.nodes.values():
        data.update(nodes)
    nx.write_graphml(graph, "odd.graphml")
    assert main(["wholes", "odd.graphml", "--seed", "1"]) == 0
    assert {row["node"] for row in table("organism-wholes/membership.csv")} == set(map(str, graph))
    assert NETWORK <= {path.name for path in Path("organism-wholes").iterdir()}


def test_edges_without_weights_loops_and_lone_nodes(capsys):
    graph = nx.disjoint_union(nx.complete_graph(6), nx.complete_graph(5))
    graph.add_edge(0, 0)
    graph.add_node(99)
    nx.write_gml(graph, "odd.gml")
    assert main(["wholes", "odd.gml", "--seed", "1", "--nulls", "0"]) == 0
    assert len(table("organism-wholes/membership.csv")) == 12
    nx.write_graphml(nx.empty_graph(3), "none.graphml")
    assert main(["wholes", "none.graphml", "--seed", "1", "--out", "none"]) == 0
    out = capsys.readouterr().out
    assert "No wholes" in out and "No blocks" in out and {path.name for path in Path("none").iterdir()} == NETWORK
    assert "There is no matrix.png, because no wholes were found." in out
    assert "There is no nulls.png, because no nulls were run." in out and not Path("organism-wholes/nulls.png").exists()


# -- mistakes -----------------------------------------------------------------------------

@pytest.mark.parametrize("words, said", [
    (["rum"], "invalid choice"),
    (["run", "--tics", "3"], "unrecognized arguments: --tics"),
    (["run", "--ticks", "-3"], "--ticks: must be a whole number in [0, 4294967295], not '-3'"),
    (["run", "--ticks", "many"], "not 'many'"),
    (["run", "--threads", "0"], "--threads: must be a whole number in [1, 1024], not '0'"),
    (["run", "--threads", "99999"], "threads"),
    (["run", "--seed", "-1"], "--seed: must be a whole number"),
    (["run", "--seed", "1" * 40], "--seed: must be a whole number"),
    (["run", "--size", "0"], "--size: must be N or WxH"),
    (["run", "--size", "4x4x4"], "not '4x4x4'"),
    (["run", "--size", "3000000"], "of memory; this machine has"),
    (["run", "--preset", "organik"], "no preset is called 'organik'; did you mean 'organic'?"),
    (["run", "--set", "care.wieght=1"], "no parameter is called 'care.wieght'; did you mean 'care.weight'?"),
    (["run", "--set", "care=1"], "no parameter is called 'care'"),
    (["run", "--set", "care.weight"], "--set takes NAME=VALUE, not 'care.weight'"),
    (["run", "--set", "care.weight=2"], "care.weight must be in [0, 1], not 2"),
    (["run", "--set", "care.weight=NaN"], "care.weight must be finite"),
    (["run", "--set", "care.weight=lots"], "care.weight must be in [0, 1], not 'lots'"),
    (["run", "--set", "care.weight={}"], "care.weight must be"),
    (["run", "--set", "production.rest=maybe"], "production.rest must be true or false"),
    (["run", "--set", "resources=0"], "resources must be a whole number in [1, 1000], not 0"),
    (["run", "--set", "metabolism.need=1,2"], "metabolism.need has 2 values"),
    (["run", "--set", "metabolism.harmful=7"], "metabolism.harmful must hold indices below"),
    (["run", "--graph", "karat"], "did you mean 'karate'?"),
    (["run", "--graph", "no.gml"], "there is no graph file no.gml"),
    (["run", "--graph", "karate", "--size", "5"], "--size sets the torus and --graph takes its place"),
    (["run", "--directed"], "there is none"),
    (["run", "--graph", "both.txt"], "already given on line 1; if ties have a direction, use --directed"),
    (["run", "--supply", "no.txt"], "there is no supply file no.txt"),
    (["run", "--supply", "text.txt"], "text.txt, line 2, value 1: 'x' is not a number"),
    (["run", "--supply", "map.txt", "--size", "5"], "the supply has 2 rows and 3 columns, but --size"),
    (["run", "--supply", "map.txt", "map.txt"], "2 maps for 3 resources; give one map, one for each, or"),
    (["run", "--supply", "map.txt", "--graph", "karate"], "a row for each of the 34 nodes; it has 2 × 3"),
    (["run", "--supply", "map.txt", "--supply-scale", "max"], "invalid choice: 'max'"),
    (["run", "--graph", "empty.graphml"], "empty.graphml: "),
    (["run", "--graph", "loop.graphml"], "loop.graphml: "),
    (["run", "--graph", "twice.graphml"], "twice.graphml: "),
    (["run", "--graph", "heavy.graphml"], "heavy.graphml: "),
    (["run", "--graph", "minus.graphml"], "minus.graphml: "),
    (["run", "--ticks", "50", "--snapshots", "60"], "--snapshots must be in [1, 50], the ticks to run, not 60"),
    (["run", "--snapshots", "0"], "--snapshots: must be a whole number in [1,"),
    (["run", "--nulls", "5"], "--nulls: must be 0 or a whole number of at least 19"),
    (["wholes", "karate", "--nulls", "18"], "not '18'"),
    (["wholes", "karate", "--method", "leiden"], "invalid choice: 'leiden'"),
    (["wholes", "karat"], "did you mean 'karate'?"),
    (["wholes", "no.gml"], "there is no graph file no.gml"),
    (["wholes", "both.txt"], "already given on line 1; if ties have a direction, use --directed"),
    (["wholes", "empty.graphml"], "empty.graphml: there are no nodes in this network"),
    (["wholes", "heavy.graphml"], "weight of the edge from 1 to 2 must be a number in [0, 1e+100], not 'much'"),
    (["wholes", "minus.graphml"], "weight of the edge from 1 to 2 must be a number in [0, 1e+100], not -1.0"),
    (["wholes", "vast.graphml"], "must be a number in [0, 1e+100], not 1e+101"),
    (["wholes", "karate", "--out", "map.txt"], "the output folder map.txt is a file"),
    (["params", "zzzz"], "no parameter's name or meaning holds 'zzzz'"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_a_mistake_is_answered_by_one_sentence(capsys, words, said):
    Path("map.txt").write_text("1 2 3\n4 5 6\n")
    Path("both.txt").write_text("a b\nb a\n")
    Path("text.txt").write_text("1 2 3\nx 5 6\n")
    nx.write_graphml(nx.Graph(), "empty.graphml")
    nx.write_graphml(nx.Graph([(1, 2), (1, 1)]), "loop.graphml")
    nx.write_graphml(nx.MultiGraph([(1, 2), (1, 2)]), "twice.graphml")
    nx.write_graphml(nx.Graph([(1, 2, {"weight": "much"})]), "heavy.graphml")
    nx.write_graphml(nx.Graph([(1, 2, {"weight": -1.})]), "minus.graphml")
    nx.write_graphml(nx.Graph([(1, 2, {"weight": 1e101})]), "vast.graphml")
    before = set(os.listdir())
    assert said in refused(capsys, *words)
    assert set(os.listdir()) == before, "a refused run leaves nothing behind"


def test_nothing_is_overwritten(capsys):
    Path("mine").mkdir()
    Path("mine", "summary.json").write_text("precious")
    assert "is not empty, and nothing in it is overwritten" in refused(capsys, "run", "--out", "mine")
    assert Path("mine", "summary.json").read_text() == "precious"
    assert "is a file" in refused(capsys, "run", "--out", "mine/summary.json")


def test_an_unwritable_folder_is_noticed_before_the_run(capsys, monkeypatch):
    monkeypatch.setattr(og.World, "step", lambda *_, **__: pytest.fail("ran before looking"))
    said = refused(capsys, "run", "--out", "/proc/organism")
    assert "the output folder /proc/organism cannot be written" in said
    Path("file").write_text("")
    assert "cannot be written" in refused(capsys, "run", "--out", "file/below")
    if os.geteuid():
        Path("locked").mkdir(mode=0o500)
        assert "cannot be written" in refused(capsys, "run", "--out", "locked")


def test_a_package_that_is_missing_is_named(capsys, monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "needs the package infomap (GPL), which is not installed: pip install infomap" in refused(
        capsys, "wholes", "karate", "--method", "infomap")
    assert not Path("organism-wholes").exists()


def test_a_full_disk_is_said_in_one_sentence(capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(og.World, "save", full)
    assert main(["run", "--size", "4", "--ticks", "2", "--quiet"]) == 2
    assert "could not be written in full: No space left on device" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_saves_what_there_is():
    run = process("run", "--size", "32", "--ticks", "100000000", "--seed", "1")
    assert "seed 1" in run.stdout.readline()
    time.sleep(1.5)
    run.send_signal(signal.SIGINT)
    try:
        _, err = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 130 and "Traceback" not in err
    assert "stopped by Ctrl-C after" in err and "was written to organism-run" in err
    assert {path.name for path in Path("organism-run").iterdir()} == expected()
    assert result()["stopped_early"] and og.World.load("organism-run/world.npz").audit().closes


# -- help and lists -----------------------------------------------------------------------

def test_help_and_version(capsys):
    for words, said in ((["--help"], "presets"), (["run", "--help"], "--supply-scale"),
                        (["wholes", "--help"], "--ties"), ([], "COMMAND"), (["--version"], og.__version__)):
        if words:
            with pytest.raises(SystemExit) as end:
                main(words)
            assert end.value.code == 0
        else:
            assert main(words) == 0
        out = capsys.readouterr().out
        assert said in out and max(map(len, out.splitlines())) <= 100


def test_presets_and_params(capsys):
    assert main(["presets"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in og.Params.presets()) and 'care.kind = "self"' in out
    assert main(["params"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in og.Params.names())
    assert main(["params", "care."]) == 0
    out = capsys.readouterr().out
    assert "care.saturation" in out and "[0, 1]" in out and "metabolism" not in out


@pytest.mark.skipif(os.name != "posix", reason="needs a pipe that closes")
def test_a_closed_pipe_is_no_error():
    run = process("params", stdin=subprocess.DEVNULL)
    run.stdout.close()
    assert "Traceback" not in run.stderr.read() and run.wait(30) == 0
    run.stderr.close()


def test_of_many_flows_the_strongest_are_written_and_it_is_said(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files, "FLOWS", 120)
    assert main(["run", "--size", "10", "--ticks", "60", "--seed", "1", "--out", "some"]) == 0
    graph = nx.read_graphml("some/interdependence.graphml")
    assert len(graph) == 100 and 0 < graph.number_of_edges() <= 120
    assert "holds the strongest 120 flows" in capsys.readouterr().out
    monkeypatch.setattr(files, "FLOWS", 99)
    assert main(["run", "--size", "10", "--ticks", "60", "--seed", "1", "--out", "none"]) == 0
    assert not Path("none/interdependence.graphml").exists()
    assert "interdependence.graphml is left out" in capsys.readouterr().out
