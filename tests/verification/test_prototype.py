"""The model's landmarks: figures that an independent prototype of passes 1–7 gave.

Set-up: 24×24 torus, Moore, three resources, 6,000 ticks unless said, means over the
last 1,000 (the prototype's were over the last 1,000–3,000), five seeds. The prototype
was written apart from this package and with other random numbers; a figure that lands
within ±.04 of its own is agreement. Division of labour is the raw D_ind of Gorelick et
al. (2004). The prototype floored welfare at 0 in the appraisal, which this model does
not; that shows where share_cost .15 pushes a hungry giver's welfare below 0, and there
an independent NumPy version of the tick (benchmarks/peer_numpy.py), unfloored, supplies
the figure instead. It supplies two more, in TABLE, where the prototype's few seeds were
not enough. REPLACED keeps the prototype's own figure of all three, the verdict prints it,
and test_numpy_peer.py measures the replacements again.
"""

import numpy as np
import pytest

import organism as og
from organism import measures

pytestmark = pytest.mark.verify

SEEDS = (1, 2, 3, 4, 5)
TOLERANCE = 0.04
FREE = {"exchange.share_cost": 0.0, "learning.perception": 0}  # the first table's setting
SEE = FREE | {"learning.perception": 2}


def care(kind, weight, **more):
    return {"care.kind": kind, "care.weight": weight} | {k.replace("_", ".", 1): v for k, v in more.items()}


def make(changes, seed, columns=None):
    return og.World(og.Topology.grid((24, 24)), og.Params().replace(**changes), seed, columns=columns)


def measure(world, ticks=1000):
    """Return welfare, division of labour, imports/consumption and σ(φ), averaged over ``ticks``."""
    rows = []
    for _ in range(ticks // 50):
        world.step(50)
        phi = world.state["share_policy"][:, 0]
        rows.append(
            (
                measures.welfare(world),
                measures.gorelick(world).ind,
                measures.dependence(world),
                float(np.mean(1 / (1 + np.exp(-phi)))),
            )
        )
    return np.mean(rows, axis=0)


def verdict(name, expected, measured, tolerance=TOLERANCE, replaced=None):
    """Print and compare; ``None`` in ``expected`` is a figure the prototype did not report.

    ``replaced`` are the prototype's own figures where ``expected`` are the NumPy version's; only printed.
    """
    measured = np.mean(measured, axis=0)
    cells = [f"{m:.2f} ({'–' if e is None else f'{e:.2f}'})" for e, m in zip(expected, measured, strict=True)]
    off = [m - e for e, m in zip(expected, measured, strict=True) if e is not None]
    worst = max(map(abs, off))
    said = f"worst {worst:.3f} {'agrees' if worst <= tolerance else 'DIFFERS'}"
    if replaced:
        said += f"  [NumPy version's; prototype's own: {'  '.join(f'{e:.2f}' for e in replaced)}]"
    print(f"\n{name:70} {'  '.join(cells)}  {said}")
    assert worst <= tolerance, f"{name}: off by {worst:.3f}, more than {tolerance}"


def settled(changes, order_share=None):
    runs = []
    for seed in SEEDS:
        world = make(changes, seed)
        if order_share is not None:
            world.set("order_share", order_share)
        world.step(5000)
        runs.append(measure(world))
    return runs


# set-up → welfare, division of labour, imports/consumption, mean σ(φ)
TABLE = {
    "selfish": (FREE | care("self", 0.0), (0.40, 0.00, 0.03, 0.00)),
    "neighbours care .25": (FREE | care("neighbours", 0.25), (0.46, 0.01, 0.06, 0.03)),
    "neighbours care .5": (FREE | care("neighbours", 0.5), (0.76, 0.23, 0.38, 0.27)),
    "neighbours care .75": (FREE | care("neighbours", 0.75), (0.97, 0.42, 0.72, 0.64)),
    "neighbours care .9": (FREE | care("neighbours", 0.9), (0.99, 0.41, 0.76, 0.72)),
    "interdependence care .25": (FREE | care("interdependence", 0.25), (0.45, 0.02, 0.06, 0.03)),
    "interdependence care .5": (FREE | care("interdependence", 0.5), (0.75, 0.23, 0.36, 0.27)),
    "interdependence care .75": (FREE | care("interdependence", 0.75), (0.97, 0.40, 0.68, 0.58)),
    "interdependence care .9": (FREE | care("interdependence", 0.9), (0.99, 0.40, 0.75, 0.69)),
    "saturation 1, care .25": (
        FREE | care("interdependence", 0.25, care_saturation=1.0),
        (0.41, 0.00, 0.04, 0.01),
    ),
    "saturation 1, care .5": (
        FREE | care("interdependence", 0.5, care_saturation=1.0),
        (0.43, 0.01, 0.05, 0.02),
    ),
    "saturation 1, care .75": (
        FREE | care("interdependence", 0.75, care_saturation=1.0),
        (0.48, 0.05, 0.09, 0.05),
    ),
    "saturation 1, care .9": (
        FREE | care("interdependence", 0.9, care_saturation=1.0),
        (0.56, 0.09, 0.16, 0.10),
    ),
    "perception 2, interdependence .75": (SEE | care("interdependence", 0.75), (0.99, 0.40, 0.69, 0.63)),
    # Seeds differ by .02–.03 here, and the prototype had three: see REPLACED. Twelve of the NumPy version:
    "perception 2, saturation 1, care .75": (
        SEE | care("interdependence", 0.75, care_saturation=1.0),
        (0.82, 0.27, 0.36, 0.30),
    ),
    "perception 2, selfish": (SEE | care("self", 0.0), (0.51, 0.00, 0.01, 0.01)),
    "perception 2, neighbours care .5": (SEE | care("neighbours", 0.5), (0.89, 0.33, 0.43, 0.38)),
    "share_cost .02, selfish": (care("self", 0.0), (0.51, 0.00, 0.01, 0.00)),
    # See REPLACED; twelve seeds of the NumPy version:
    "share_cost .02, neighbours care .5": (care("neighbours", 0.5), (0.71, 0.18, 0.25, 0.26)),
    "share_cost .02, neighbours care .75": (care("neighbours", 0.75), (0.93, 0.38, 0.59, 0.56)),
    "share_cost .02, interdependence care .5": (care("interdependence", 0.5), (0.81, 0.27, 0.34, 0.34)),
    "share_cost .02, interdependence care .75": (care("interdependence", 0.75), (0.94, 0.38, 0.60, 0.58)),
    "share_cost .02, saturation 1, care .75": (
        care("interdependence", 0.75, care_saturation=1.0),
        (0.63, 0.10, 0.14, 0.12),
    ),
    "share_cost .02, saturation 1, care 1": (
        care("interdependence", 1.0, care_saturation=1.0),
        (0.75, 0.21, 0.29, 0.24),
    ),
}


# what the prototype itself gave where TABLE and UNEQUAL hold the NumPy version's figures
REPLACED = {
    "perception 2, saturation 1, care .75": (0.80, 0.24, 0.33, 0.27),
    "share_cost .02, neighbours care .5": (0.70, 0.15, 0.20, 0.22),
    ("neighbours", 1): (0.21, 0.22, 0.21, 0.63, 0.63),
}


@pytest.mark.parametrize("name", TABLE)
def test_settled_worlds(name):
    changes, expected = TABLE[name]
    verdict(name, expected, settled(changes), replaced=REPLACED.get(name))


def test_autarky():
    verdict("never share", (0.38, 0.00, 0.00, None), settled(FREE | care("self", 0.0), order_share=0))


def test_everyone_always_shares():
    verdict("always share", (1.00, 0.41, None, None), settled(FREE | care("self", 0.0), order_share=1))


# -- curricula: 6,000 + 6,000 ticks, care .5 ---------------------------------------------------


def curriculum(first, second, seed, reset=(), first_ticks=6000, second_ticks=6000):
    world = make(first, seed)
    world.step(first_ticks)
    world.update(**second)
    for column in reset:
        value = 0.0
        if column == "policy":  # as at the start
            value = 0.01 * np.random.default_rng(seed).standard_normal(world.state["policy"].shape)
        world.set(column, value)
    world.step(second_ticks - 1000)
    return measure(world)


CARE = care("neighbours", 0.5)
CURRICULA = {
    "care at perception 0, then perception 2": (
        FREE | CARE,
        {"learning.perception": 2},
        (),
        6000,
        (0.78, 0.24, 0.31, 0.25),
    ),
    "selfish at perception 2, then care": (
        SEE | care("self", 0.0),
        CARE,
        (),
        6000,
        (0.555, 0.00, 0.00, 0.00),
    ),
    "selfish at perception 0, then care, 30,000 ticks": (
        FREE | care("self", 0.0),
        CARE,
        (),
        30000,
        (0.41, 0.00, None, 0.00),
    ),
    "history at 0, reset φ": (
        FREE | care("self", 0.0),
        CARE | {"learning.perception": 2},
        ("share_policy",),
        6000,
        (0.88, None, None, None),
    ),
    "history at 0, reset θ": (
        FREE | care("self", 0.0),
        CARE | {"learning.perception": 2},
        ("policy",),
        6000,
        (0.48, None, None, None),
    ),
    "history at 0, reset both": (
        FREE | care("self", 0.0),
        CARE | {"learning.perception": 2},
        ("share_policy", "policy"),
        6000,
        (0.88, None, None, None),
    ),
    "history at 2, reset φ": (
        SEE | care("self", 0.0),
        CARE,
        ("share_policy",),
        6000,
        (0.56, None, None, None),
    ),
    "history at 2, reset θ": (SEE | care("self", 0.0), CARE, ("policy",), 6000, (0.48, None, None, None)),
    "history at 2, reset both": (
        SEE | care("self", 0.0),
        CARE,
        ("share_policy", "policy"),
        6000,
        (0.81, None, None, None),
    ),
}


@pytest.mark.parametrize("name", CURRICULA)
def test_curricula(name):
    first, second, reset, ticks, expected = CURRICULA[name]
    verdict(name, expected, [curriculum(first, second, seed, reset, second_ticks=ticks) for seed in SEEDS])


# -- shocks at tick 5,000: welfare before, over the next 1,000 ticks, and 6,000 after ---------------
# Half the loss of "permuted" depends on what is permuted: here what each resource is called, so that
# no site keeps its rich resource. (Permuting the sites' land leaves a third of them as they were: .90.)


def shocked(changes, seed, shock, frozen):
    rng = np.random.default_rng(seed)
    supply = np.full((576, 3), 0.7)
    supply[np.arange(576), rng.integers(3, size=576)] = 1.4
    world = make(SEE | changes, seed, {"supply": supply})
    world.step(4500)
    before = measure(world, 500)[0]
    if shock == "permuted":
        world.set("supply", np.roll(supply, 1, axis=1))
    else:
        world.do(og.intervene.scale("supply", [0.5, 1, 1]))
    if frozen:
        world.set("learning_rate", 0.0)
    soon = measure(world, 1000)[0]
    world.step(4000)
    return before, soon, measure(world, 1000)[0]


SHOCKS = {
    "permuted, interdependence, frozen": (
        care("interdependence", 0.75),
        "permuted",
        True,
        (0.99, 0.82, 0.82),
    ),
    "permuted, interdependence, learning": (
        care("interdependence", 0.75),
        "permuted",
        False,
        (0.99, 0.87, 0.96),
    ),
    "permuted, neighbours, frozen": (care("neighbours", 0.75), "permuted", True, (0.99, 0.81, 0.80)),
    "permuted, neighbours, learning": (care("neighbours", 0.75), "permuted", False, (0.99, 0.85, 0.95)),
    "permuted, selfish, learning": (care("self", 0.0), "permuted", False, (0.39, 0.31, 0.31)),
    "halved, interdependence, frozen": (care("interdependence", 0.75), "halved", True, (0.99, 0.76, 0.75)),
    "halved, interdependence, learning": (care("interdependence", 0.75), "halved", False, (0.99, 0.84, 0.91)),
    "halved, neighbours, frozen": (care("neighbours", 0.75), "halved", True, (0.99, 0.76, 0.76)),
    "halved, neighbours, learning": (care("neighbours", 0.75), "halved", False, (0.99, 0.84, 0.94)),
    "halved, selfish, learning": (care("self", 0.0), "halved", False, (0.39, 0.15, 0.15)),
}


@pytest.mark.parametrize("name", SHOCKS)
def test_shocks(name):
    changes, shock, frozen, expected = SHOCKS[name]
    verdict(name, expected, [shocked(changes, seed, shock, frozen) for seed in SEEDS])


# -- half the members become m times as capable: flows a tick and donor, welfare ------------------


def unequal(changes, seed, factor, before=3000, after=8000):
    """Return flows S→W, W→S, W→W a tick and donor, and welfare of S and W, after ``before`` equal ticks.

    How long the prototype ran before capability became unequal is not recorded. The 3,000 ticks
    here were chosen for that reason and no other evidence fixes them, and the choice matters, for
    givers retreat slowly: under interdependence ×2, S→W is

        history   0    2,000  4,000  6,000 ticks
        S→W      .17    .18    .25    .29

    (test_history_raises_the_flow_to_the_weak runs this sweep.)
    """
    world = make({"exchange.share_cost": 0.15} | changes, seed)
    world.step(before)
    strong = np.zeros(576, bool)
    strong[np.random.default_rng(seed).permutation(576)[:288]] = True
    world.set("capability", np.where(strong, float(factor), 1.0))
    world.step(after - 1000)
    t, rows = world.topology, []
    for _ in range(20):
        world.step(50)
        flow = world.tie("trace") * (1 - world.params.exchange.memory)
        w = np.maximum(world.state["welfare"], 0)
        rows.append(
            [
                flow[strong[t.source] & ~strong[t.target]].sum() / 288,
                flow[~strong[t.source] & strong[t.target]].sum() / 288,
                flow[~strong[t.source] & ~strong[t.target]].sum() / 288,
                w[strong].mean(),
                w[~strong].mean(),
            ]
        )
    return np.mean(rows, axis=0)


UNEQUAL = {
    ("interdependence", 1): (0.31, 0.32, 0.31, 0.64, 0.65),
    ("interdependence", 2): (0.20, 0.02, 0.37, 0.97, 0.69),
    ("interdependence", 5): (0.17, 0.00, 0.46, 0.98, 0.70),
    ("neighbours", 1): (0.165, 0.165, 0.165, 0.58, 0.58),  # NumPy, unfloored: see REPLACED and FLOORED
    ("neighbours", 2): (0.42, 0.01, 0.10, 0.94, 0.76),
    ("neighbours", 5): (0.46, 0.00, 0.12, 0.93, 0.79),
    ("self", 1): (0.00, 0.00, 0.00, 0.62, 0.61),
    ("self", 2): (0.16, 0.00, 0.01, 0.98, 0.67),
    ("self", 5): (0.18, 0.00, 0.01, 0.98, 0.69),
}
# the NumPy version, with welfare floored in the appraisal as the prototype had it
FLOORED = {("neighbours", 1): (0.20, 0.20, 0.20, 0.61, 0.61)}


@pytest.mark.parametrize("kind, factor", UNEQUAL)
def test_unequal_capability(kind, factor):
    weight = 0.0 if kind == "self" else 0.75
    verdict(
        f"{kind}, capability ×{factor}",
        UNEQUAL[kind, factor],
        [unequal(care(kind, weight), seed, factor) for seed in SEEDS],
        replaced=REPLACED.get((kind, factor)),
    )


@pytest.mark.parametrize("earlier, later", [(0, 2000), (2000, 4000), (4000, 6000)])
def test_history_raises_the_flow_to_the_weak(earlier, later):
    """S→W under interdependence ×2 grows with the ticks of equal capability before; within noise."""
    changes = care("interdependence", 0.75)
    less, more = (np.mean([unequal(changes, s, 2, before=b)[0] for s in SEEDS]) for b in (earlier, later))
    print(f"\nS→W after {earlier:,} ticks of history {less:.3f}, after {later:,} {more:.3f}")
    assert more > less - 0.02
