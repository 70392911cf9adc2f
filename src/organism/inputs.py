"""Real input: graphs and landscapes from files, and networkx's graphs by name.

Whatever is wrong with a file is said in one sentence with the file's name and,
where there is one, the line. What only the topology can judge (no nodes,
self-loops, parallel edges, bad weights) is left to :class:`organism.Topology`.
"""

from __future__ import annotations

import ast
import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ._checks import closest

__all__ = ["GRAPH_NAMES", "read_graph", "read_supply", "weight_of"]

_SOCIAL = ("davis_southern_women", "florentine_families", "les_miserables")
_SMALL = ("bull", "chvatal", "cubical", "desargues", "diamond", "dodecahedral", "frucht", "heawood",
          "hoffman_singleton", "house", "house_x", "icosahedral", "krackhardt_kite", "moebius_kantor",
          "octahedral", "pappus", "petersen", "sedgewick_maze", "tetrahedral", "truncated_cube",
          "truncated_tetrahedron", "tutte")
#: Graphs that ship with networkx, by the name that ``read_graph`` knows them by.
GRAPH_NAMES: dict[str, str] = {"karate": "karate_club_graph",
                               **{name: f"{name}_graph" for name in _SOCIAL + _SMALL}}

_FORMATS = {
    ".graphml": "GraphML", ".xml": "GraphML", ".gml": "GML", ".gexf": "GEXF", ".json": "JSON",
    ".edgelist": "edge list", ".edges": "edge list", ".txt": "edge list", ".csv": "edge list",
    ".tsv": "edge list", ".adjlist": "adjacency list", ".adj": "adjacency list",
    ".multiline": "multiline adjacency list", ".multiline_adjlist": "multiline adjacency list",
    ".net": "Pajek", ".pajek": "Pajek", ".leda": "LEDA", ".lgr": "LEDA", ".gw": "LEDA",
    ".g6": "graph6", ".graph6": "graph6", ".s6": "sparse6", ".sparse6": "sparse6",
}
_HEADERS = {("source", "target"), ("from", "to"), ("node1", "node2"), ("i", "j"), ("u", "v")}


# -- graphs -------------------------------------------------------------------------------

def read_graph(source: str | os.PathLike, directed: bool = False):
    """Read a graph from a file, or take one that ships with networkx by its name.

    Parameters
    ----------
    source : str or path
        A file whose extension says the format, or one of :data:`GRAPH_NAMES` such as
        ``"karate"``. Formats: GraphML (``.graphml``), GML, GEXF, JSON (node-link, adjacency
        or Cytoscape), edge lists (``.edgelist``, ``.txt``, ``.csv``, ``.tsv``: two names and
        perhaps a weight on each line, perhaps under a header), adjacency lists
        (``.adjlist``, ``.multiline``), Pajek (``.net``), LEDA (``.lgr``), graph6 (``.g6``)
        and sparse6 (``.s6``); each also compressed, with ``.gz`` or ``.bz2`` added.
    directed : bool, default False
        Read the ties of an edge or adjacency list as going one way, from the first name to
        the second. The other formats say themselves which they are.

    Returns
    -------
    networkx.Graph or networkx.DiGraph
        Node names that are whole numbers throughout an edge or adjacency list become ``int``.
        A multigraph is returned only where parallel edges are really there.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the name or format is unknown, or the file is not what its extension says.

    Examples
    --------
    >>> read_graph("karate").number_of_nodes()
    34
    """
    import networkx as nx

    path, text = Path(source), str(source)
    if not path.exists():
        return _named(text)
    if path.is_dir():
        raise ValueError(f"{text} is a folder; a graph is read from a file")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in (".gz", ".bz2"):
        suffixes.pop()
    kind = _FORMATS.get(suffixes[-1] if suffixes else "")
    if kind is None:
        raise ValueError(f"{text} has no extension that names a graph format; known are "
                         + ", ".join(sorted(_FORMATS)))
    shape = nx.DiGraph if directed else nx.Graph
    readers = {
        "GraphML": nx.read_graphml, "GML": _read_gml, "GEXF": nx.read_gexf, "Pajek": nx.read_pajek,
        "LEDA": nx.read_leda, "graph6": nx.read_graph6, "sparse6": nx.read_sparse6, "JSON": _read_json,
        "edge list": lambda p: _read_edges(p, shape),
        "adjacency list": lambda p: _read_adjacency(nx.read_adjlist, p, shape),
        "multiline adjacency list": lambda p: _read_adjacency(nx.read_multiline_adjlist, p, shape),
    }
    try:
        graph = readers[kind](text)
    except OSError as error:
        raise type(error)(f"{text} cannot be read: {error.strerror or error}") from None
    except _Refused as error:
        raise ValueError(f"{text}, {error}") from None
    except Exception as error:  # each reader fails in its own way on a file that is not in its format
        said = " ".join(str(error).split())
        article = "an" if kind[0] in "ae" else "a"
        raise ValueError(f"{text} cannot be read as {article} {kind} file"
                         + (f": {said[:160]}" if said else "")) from None
    if isinstance(graph, list):
        raise ValueError(f"{text} holds {len(graph)} graphs; one is read")
    for node in graph:
        if any(ord(letter) < 32 for letter in str(node)):
            raise ValueError(f"{text} has a node called {str(node)!r}; names cannot hold control characters")
    return _simplest(graph)


def weight_of(graph) -> str | None:
    """Return the name of the edges' weight, or None.

    Parameters
    ----------
    graph : networkx.Graph

    Returns
    -------
    str or None
        ``"weight"`` if an edge has one, as :meth:`Topology.from_networkx` takes it.
    """
    return "weight" if any("weight" in data for _, _, data in graph.edges(data=True)) else None


class _Refused(ValueError):
    """A fault found by our own readers; the message starts with the line."""


def _named(text: str):
    """Return one of networkx's own graphs, or say that neither a file nor a name was meant."""
    import networkx as nx

    name = text.lower().replace("-", "_").replace(" ", "_").removesuffix("_graph")
    name = {"karate_club": "karate"}.get(name, name)
    if name in GRAPH_NAMES:
        return getattr(nx, GRAPH_NAMES[name])()
    if Path(text).suffix or os.sep in text:
        raise FileNotFoundError(f"there is no graph file {text}")
    raise ValueError(f"no graph is called {text!r} and no such file exists"
                     + (closest(name, GRAPH_NAMES) or f"; known names are {', '.join(GRAPH_NAMES)}"))


def _simplest(graph):
    """Drop the multigraph class where no two edges are parallel (Pajek files always have it)."""
    import networkx as nx

    if not graph.is_multigraph():
        return graph
    simple = nx.DiGraph(graph) if graph.is_directed() else nx.Graph(graph)
    return simple if simple.number_of_edges() == graph.number_of_edges() else graph


def _numbered(graph):
    """Turn node names into integers where every one of them is a whole number."""
    import networkx as nx

    try:
        return nx.relabel_nodes(graph, {name: int(name) for name in graph}) if len(graph) else graph
    except ValueError:
        return graph


def _read_gml(path: str):
    import networkx as nx

    try:
        return nx.read_gml(path)
    except nx.NetworkXError as error:
        if "label" not in str(error):
            raise
        return nx.read_gml(path, label="id")


def _open_text(path: str):
    """Open a text file, through gzip or bz2 if its name says so."""
    import bz2
    import gzip

    opener = {".gz": gzip.open, ".bz2": bz2.open}.get(Path(path).suffix.lower(), open)
    return opener(path, "rt", encoding="utf-8-sig", newline="")


def _read_json(path: str):
    import networkx as nx

    with _open_text(path) as file:
        data = json.load(file)
    if not isinstance(data, dict):
        raise ValueError("it holds no JSON object")
    if "elements" in data:
        return nx.cytoscape_graph(data)
    data = {"directed": False, **data}
    if "adjacency" in data:
        return nx.adjacency_graph({"multigraph": False, **data})
    edges = next((key for key in ("edges", "links") if key in data), None)
    if edges is None or "nodes" not in data:
        raise ValueError("it has no 'nodes' with 'links' or 'edges'")
    known = {_hashable(node["id"]) for node in data["nodes"]}
    for link in data[edges]:
        for end in ("source", "target"):
            if _hashable(link[end]) not in known:
                raise ValueError(f"a link's {end} is {link[end]!r}, which is none of its nodes")
    # Read as a multigraph, or repeated links would be merged without a word.
    return nx.node_link_graph({**data, "multigraph": True}, edges=edges)


def _hashable(name):
    return tuple(name) if isinstance(name, list) else name


def _read_adjacency(read, path: str, shape):
    """Read an adjacency list; networkx's own readers merge repeated neighbours without a word."""
    import networkx as nx

    graph = read(path, create_using=nx.MultiDiGraph)
    for one, other, key in graph.edges(keys=True):
        if key:
            raise _Refused(f"{one} has the neighbour {other} more than once; ties cannot be parallel")
    return _numbered(shape(graph))


def _rows(path: str):
    """Yield line number and cells of each line of an edge list; comments and blanks are skipped."""
    with _open_text(path) as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line[0] in "#%":
                continue
            mark = next((mark for mark in ("\t", ",", ";") if mark in line), None)
            if "{" in line:  # networkx's own form: two names and a table of attributes
                yield number, line.split(None, 2)
            elif mark:
                yield number, [cell.strip() for cell in next(csv.reader([line], delimiter=mark))]
            else:
                yield number, line.split()


def _read_edges(path: str, shape):
    """Read an edge list; networkx's own reader merges repeated edges without a word."""
    graph, seen, weight_at, columns = shape(), {}, 2, None
    for number, cells in _rows(path):
        if columns is None:
            names = [cell.lower() for cell in cells]
            headed = tuple(names[:2]) in _HEADERS
            columns = len(cells) if headed else 4  # some lists end their lines with a time
            if headed:
                weight_at = names.index("weight") if "weight" in names else None
                continue
        if len(cells) < 2 or not cells[0] or not cells[1] or len(cells) > columns:
            raise _Refused(f"line {number}: {' '.join(cells)!r} is not two names and perhaps a weight")
        first, second = cells[:2]
        pair = (first, second) if graph.is_directed() else frozenset((first, second))
        if pair in seen:
            raise _Refused(f"line {number}: the edge from {first} to {second} was already given on line "
                           f"{seen[pair]}" + ("" if graph.is_directed() else
                                              "; if ties have a direction, read the graph as directed"))
        seen[pair] = number
        graph.add_edge(first, second, **_attributes(cells, weight_at, number))
    return _numbered(graph)


def _attributes(cells: list[str], weight_at: int | None, number: int) -> dict:
    """Return an edge's attributes: networkx's ``{...}`` form, or one weight."""
    if len(cells) > 2 and cells[2].startswith("{"):
        try:
            return {str(key): value for key, value in ast.literal_eval(cells[2]).items()}
        except (ValueError, SyntaxError, AttributeError):
            raise _Refused(f"line {number}: {cells[2]!r} is no table of attributes") from None
    if weight_at is None or len(cells) <= weight_at:
        return {}
    try:
        return {"weight": float(cells[weight_at])}
    except ValueError:
        raise _Refused(f"line {number}: the weight {cells[weight_at]!r} is not a number"
                       + ("; a heading has to begin with #" if number == 1 else "")) from None


# -- landscapes ---------------------------------------------------------------------------

def read_supply(paths: str | os.PathLike | Sequence, scale: str = "mean") -> np.ndarray:
    """Read a landscape of supplies from one file, or from one file for each resource.

    Parameters
    ----------
    paths : path or sequence of paths
        Text (rows of numbers between blanks; ``#`` starts a comment), CSV (``.csv``) or NumPy
        (``.npy``) files. Several files must have the same shape; each sets one resource.
    scale : {"mean", "none"}
        ``"mean"`` scales each resource's map to mean 1, ``"none"`` keeps the values, which are
        then multiples of ``production.base_yield``.

    Returns
    -------
    numpy.ndarray, shape (H, W) or (H, W, K), float64
        (H, W) sets every resource's supply; with K files, or a three-dimensional ``.npy``, each.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a value is no number, negative, NaN or infinite, rows differ in length, shapes
        differ, or all of a map is 0, in one sentence with file and line.

    Examples
    --------
    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/map.txt"
    >>> np.savetxt(path, [[0, 1], [1, 6]])
    >>> read_supply(path).tolist()
    [[0.0, 0.5], [0.5, 3.0]]
    """
    if scale not in ("mean", "none"):
        raise ValueError(f"the supply scale must be mean or none, not {scale!r}"
                         + closest(scale, ("mean", "none")))
    files = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not files:
        raise ValueError("no supply file was given")
    maps = []
    for file in map(str, files):
        array = _read_map(file)
        if array.ndim == 3 and len(files) > 1:
            raise ValueError(f"{file} has shape {array.shape}; of several supply files each holds one "
                             "resource's map, of shape (H, W)")
        if maps and array.shape != maps[0].shape:
            raise ValueError(f"{file} is {_size(array)} where {files[0]} is {_size(maps[0])}; "
                             "supply maps must have the same shape")
        if scale == "mean":
            with np.errstate(over="ignore"):
                mean = array.mean(axis=(0, 1))
            if not np.all(np.isfinite(mean)):
                raise ValueError(f"{file}: the values are too large to be scaled to mean 1")
            if np.any(mean == 0):
                which = "" if array.ndim == 2 else f" of resource {int(np.flatnonzero(mean == 0)[0])}"
                raise ValueError(f"{file}: all values{which} are 0 and cannot be scaled to mean 1")
            array = array / mean
        maps.append(array)
    return maps[0] if len(maps) == 1 else np.stack(maps, axis=-1)


def _size(array: np.ndarray) -> str:
    return "×".join(map(str, array.shape))


def _read_map(file: str) -> np.ndarray:
    """Return one map as float64, with every value checked."""
    path = Path(file)
    if not path.exists():
        raise FileNotFoundError(f"there is no supply file {file}")
    if path.is_dir():
        raise ValueError(f"{file} is a folder; a supply is read from a file")
    try:
        binary = path.suffix.lower() == ".npy"
        array, lines = (_read_npy(file), None) if binary else _read_text(file)
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not a text file; a NumPy array must be called .npy") from None
    except OSError as error:
        raise type(error)(f"{file} cannot be read: {error.strerror or error}") from None
    bad = ~(np.isfinite(array) & (array >= 0))
    if bad.any():
        row, column, *rest = (int(i) for i in np.argwhere(bad)[0])
        where = f"line {lines[row]}, value {column + 1}" if lines else f"cell {(row, column, *rest)}"
        raise ValueError(f"{file}, {where}: a supply must be finite and in [0, inf), "
                         f"not {array[(row, column, *rest)]:g}")
    return array


def _read_npy(file: str) -> np.ndarray:
    try:
        with open(file, "rb") as stream:
            array = np.lib.format.read_array(stream, allow_pickle=False)
    except (ValueError, EOFError) as error:
        said = " ".join(str(error).split())[:160]
        raise ValueError(f"{file} cannot be read as a NumPy array: {said}") from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{file} holds {array.dtype} values; a supply holds real numbers")
    if array.ndim not in (2, 3) or not array.size:
        raise ValueError(f"{file} has shape {array.shape}; a supply has shape (H, W) or (H, W, K)")
    return array.astype(np.float64)


def _read_text(file: str) -> tuple[np.ndarray, list[int]]:
    """Return the numbers of a text or CSV file, and the line that each row stands on."""
    rows: list[list[float]] = []
    lines: list[int] = []
    with open(file, encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, 1):
            line = line.split("#", 1)[0].strip()
            if not line:
                continue
            mark = next((mark for mark in (",", ";") if mark in line), None)
            cells = line.split(mark)
            row = [_number(file, number, i, cell.strip()) for i, cell in enumerate(cells, 1)]
            if rows and len(row) != len(rows[0]):
                raise ValueError(f"{file}, line {number} has {len(row)} values where line {lines[0]} "
                                 f"has {len(rows[0])}")
            rows.append(row)
            lines.append(number)
    if not rows:
        raise ValueError(f"{file} holds no numbers")
    return np.array(rows, dtype=np.float64), lines


def _number(file: str, line: int, place: int, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        shown = cell if len(cell) < 40 else cell[:37] + "..."
        raise ValueError(f"{file}, line {line}, value {place}: {shown!r} is not a number") from None
