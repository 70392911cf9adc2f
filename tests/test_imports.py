"""Imports point one way, and ``import organism`` stays light."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

import organism

ROOT = Path(organism.__file__).parent

#: The layers, lowest first. A module imports from lower layers, or from its own without a cycle.
LAYERS = [
    {"_bootstrap", "_core", "_checks", "_dispatch", "_fields", "_layouts", "_origins", "_outputs", "_places", "_slices",
     "_matching", "_ties", "_version", "_written", "agenda", "topology", "params"},
    {"state", "storage", "records", "inputs", "regimes"},
    {"_binding", "_clock", "_editing", "_governing", "_packing", "_rowview", "_settling"},
    {"world", "interact"},
    {"intervene", "measures", "flows", "snapshots", "temporal", "theory", "roles", "wholes", "scales", "datasets"},
    {"counterfactual", "causal"},
    {"_arguments", "_spaces", "embed", "member", "model"},
    {"_animation", "_drawing", "_film", "_flowgraph", "_paint", "_scaleplots", "_tables", "_wholecourse",
     "_wholeplots"},
    {"sweeps", "_designs", "_engines", "_experiments", "_progress", "_readings", "_runs", "_store", "_sweepplots"},
    {"plots"},
    {"claims"},
    {"view", "app"},
    {"_commands", "__main__"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}

#: Imports inside a function that may point upwards, each with its reason.
LATE = {
    ("world", "plots"),  # _repr_html_ draws a small picture
}

#: Libraries that ``import organism`` must not load.
HEAVY = ("mesa", "matplotlib", "networkx", "scipy.sparse.csgraph", "sknetwork", "pandas", "tqdm",
         "anywidget", "ipywidgets", "solara")
#: The only modules that may import Mesa or matplotlib when they are themselves imported.
OWNERS = {"mesa": {"_arguments", "_spaces", "app", "embed", "member", "model"},
          "matplotlib": {"_animation", "_drawing", "_film", "_flowgraph", "_paint", "_scaleplots", "_wholecourse",
                         "_wholeplots", "plots", "view", "app"},
          "anywidget": {"view"}, "ipywidgets": {"view"}, "solara": {"app"}}


def modules():
    """Name and syntax tree of each module; a package counts as one (``claims/…`` is ``claims``)."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield parts[0], ast.parse(path.read_text(encoding="utf-8"))


def is_typing_guard(node) -> bool:
    """Tell ``if TYPE_CHECKING:``, whose imports never run."""
    test = node.test if isinstance(node, ast.If) else None
    return getattr(test, "id", getattr(test, "attr", None)) == "TYPE_CHECKING"


def imports(tree, late=False):
    """Yield ``(module, is_late)`` for every import; our own come as ``.name``."""
    for node in ast.iter_child_nodes(tree):
        if is_typing_guard(node):
            continue
        inside = late or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if isinstance(node, ast.Import):
            for alias in node.names:
                own = alias.name == "organism" or alias.name.startswith("organism.")
                yield ("." + alias.name.partition(".")[2] if own else alias.name), late
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            own = node.level or module == "organism" or module.startswith("organism.")
            if not own:
                yield module, late
            else:
                inner = module if node.level else module.partition(".")[2]
                for name in ([inner] if inner else [alias.name for alias in node.names]):
                    yield "." + name.split(".")[0], late
        else:
            yield from imports(node, inside)


def own_imports():
    for module, tree in modules():
        for name, late in imports(tree):
            if name[0] == "." and {name[1:], module} <= {*RANK, "__init__"} and name[1:] != module:
                yield module, name[1:], late


def test_every_module_has_a_layer():
    unknown = {name for name, _ in modules()} - set(RANK) - {"__init__"}
    assert not unknown, f"give these modules a layer: {unknown}"


def test_imports_point_down():
    wrong = [(module, name) for module, name, late in own_imports() if module != "__init__"
             and RANK[name] > RANK[module] and not (late and (module, name) in LATE)]
    assert not wrong, f"imports that point up: {wrong}"


def test_no_cycles_even_within_a_layer():
    graph: dict[str, set] = {}
    for module, name, _late in own_imports():
        if module != "__init__" and (module, name) not in LATE:
            graph.setdefault(module, set()).add(name)
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


def test_listed_late_imports_exist():
    late = {(module, name) for module, name, is_late in own_imports() if is_late}
    assert LATE <= late, f"no longer needed: {LATE - late}"


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_owned_libraries(library):
    users = {module for module, tree in modules() for name, late in imports(tree)
             if name.split(".")[0] == library and not late}
    assert users <= OWNERS[library]


def loaded(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_is_light():
    heavy = {name for name in loaded("import organism") if name in HEAVY}
    assert not heavy, f"import organism loads {heavy}"


def test_a_world_needs_none_of_the_heavy_libraries():
    found = loaded("import organism as og; w = og.World(og.Topology.grid((4, 4)), rng=1); w.step(2)")
    assert not found & {"mesa", "matplotlib", "networkx"}


def test_every_public_name_is_there():
    missing = [name for name in organism.__all__ if not hasattr(organism, name)]
    assert not missing and set(organism.__all__) <= set(dir(organism))
