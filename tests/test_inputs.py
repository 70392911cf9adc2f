"""Files in: every graph format, every landscape format, and one sentence for each fault."""

import gzip
import json

import networkx as nx
import numpy as np
import pytest

from organism.inputs import GRAPH_NAMES, read_graph, read_supply


def example(directed=False):
    graph = nx.DiGraph() if directed else nx.Graph()
    graph.add_weighted_edges_from([(1, 2, 0.5), (2, 3, 2.0), (3, 1, 1.0), (3, 4, 4.0)])
    return graph


def ties(graph, weight=None):
    """Edges with string ends (several formats know no other), order-free if undirected."""
    name = (lambda a, b: (str(a), str(b))) if graph.is_directed() else (
        lambda a, b: tuple(sorted((str(a), str(b)))))
    return {name(a, b): data.get(weight) for a, b, data in graph.edges(data=True)}


# -- graphs -------------------------------------------------------------------------------

@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("suffix, write", [
    (".graphml", nx.write_graphml), (".gml", nx.write_gml), (".gexf", nx.write_gexf),
    (".net", nx.write_pajek), (".graphml.gz", nx.write_graphml),
    (".json", lambda g, p: p.write_text(json.dumps(nx.node_link_data(g, edges="links")))),
])
def test_formats_that_carry_weights_and_direction(tmp_path, suffix, write, directed):
    graph, path = example(directed), tmp_path / f"graph{suffix}"
    write(nx.relabel_nodes(graph, str) if suffix in (".net", ".gml") else graph, path)
    read = read_graph(path)
    assert not read.is_multigraph() and read.is_directed() == directed
    assert ties(read, "weight") == ties(graph, "weight")


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("suffix, write", [
    (".edgelist", nx.write_edgelist), (".txt", nx.write_weighted_edgelist),
    (".csv", lambda g, p: nx.write_weighted_edgelist(g, p, delimiter=",")),
    (".tsv", lambda g, p: nx.write_weighted_edgelist(g, p, delimiter="\t")),
    (".edges.gz", nx.write_weighted_edgelist),
    (".multiline", nx.write_multiline_adjlist),
])
def test_lists_with_weights_take_direction_from_the_caller(tmp_path, suffix, write, directed):
    graph, path = example(directed), tmp_path / f"graph{suffix}"
    write(graph, path)
    read = read_graph(path, directed=directed)
    assert read.is_directed() == directed and set(read) == {1, 2, 3, 4}
    assert ties(read, "weight") == ties(graph, "weight")


@pytest.mark.parametrize("suffix, write", [
    (".adjlist", nx.write_adjlist), (".g6", nx.write_graph6), (".s6", nx.write_sparse6),
    (".edgelist", lambda g, p: nx.write_edgelist(g, p, data=False)),
    (".json", lambda g, p: p.write_text(json.dumps(nx.adjacency_data(g)))),
    (".json", lambda g, p: p.write_text(json.dumps(nx.cytoscape_data(g)))),
    (".json", lambda g, p: p.write_text(json.dumps(nx.node_link_data(g, edges="edges")))),
])
def test_formats_without_weights(tmp_path, suffix, write):
    graph, path = nx.petersen_graph(), tmp_path / f"graph{suffix}"
    write(graph, path)
    assert ties(read_graph(path)) == ties(graph)


def test_leda_and_unlabelled_gml(tmp_path):
    (tmp_path / "g.lgr").write_text("LEDA.GRAPH\nstring\nint\n-1\n3\n|{a}|\n|{b}|\n|{c}|\n"
                                    "2\n1 2 0 |{4}|\n2 3 0 |{5}|\n")
    assert set(read_graph(tmp_path / "g.lgr")) == {"a", "b", "c"}
    (tmp_path / "g.gml").write_text("graph [ node [ id 7 ] node [ id 9 ] edge [ source 7 target 9 ] ]")
    assert list(read_graph(tmp_path / "g.gml").edges) == [(7, 9)]


def test_csv_with_header_and_names(tmp_path):
    path = tmp_path / "g.csv"
    path.write_text("Source,Target,Type,Weight\n\"Valjean, Jean\",Cosette,Undirected,31\n# note\n"
                    "Cosette,Marius,Undirected,21\n", encoding="utf-8-sig")
    assert ties(read_graph(path), "weight") == {("Cosette", "Valjean, Jean"): 31., ("Cosette", "Marius"): 21.}


@pytest.mark.parametrize("name", sorted(GRAPH_NAMES))
def test_every_named_graph_is_there(name):
    graph = read_graph(name)
    assert len(graph) > 3 and not graph.is_multigraph()


def test_names_are_forgiving():
    assert len(read_graph("Les-Miserables")) == 77
    assert len(read_graph("karate_club_graph")) == 34


@pytest.mark.parametrize("source, error, words", [
    ("karat", ValueError, "did you mean 'karate'"),
    ("qqqq", ValueError, "known names are karate"),
    ("missing.gml", FileNotFoundError, "there is no graph file missing.gml"),
    ("some/where", FileNotFoundError, "there is no graph file"),
])
def test_unknown_graphs(source, error, words):
    with pytest.raises(error, match=words):
        read_graph(source)


@pytest.mark.parametrize("name, text, words", [
    ("g.txt", "1 2\n2\n", "g.txt, line 2: '2' is not two names"),
    ("g.txt", "0 1 0 1 0\n1 0 1 0 1\n", "line 1: .* is not two names"),
    ("g.txt", "1 2 0.5\n2 3 heavy\n", "line 2: the weight 'heavy' is not a number"),
    ("g.csv", "1,2\n3,4\n2,1\n", "line 3: the edge from 2 to 1 was already given on line 1; if ties"),
    ("g.edgelist", "1 2 {'weight': 1}\n1 3 {'weight': \n", "line 2: .* is no table"),
    ("g.graphml", "<graphml", "cannot be read as a GraphML file"),
    ("g.graphml", "", "cannot be read as a GraphML file"),
    ("g.gml", "graph [ node ]", "cannot be read as a GML file"),
    ("g.gexf", "nothing", "cannot be read as a GEXF file"),
    ("g.json", "[1, 2]", "it holds no JSON object"),
    ("g.json", '{"a": 1}', "it has no 'nodes'"),
    ("g.json", "{", "cannot be read as a JSON file"),
    ("g.multiline", "1 x\n", "cannot be read as a multiline adjacency list file"),
    ("g.net", "*vertices x\n", "cannot be read as a Pajek file"),
    ("g.lgr", "x", "cannot be read as a LEDA file"),
    ("g.s6", "~~~", "cannot be read as a sparse6 file"),
    ("g.dot", "graph { a -- b }", "no extension that names a graph format"),
    ("plain", "1 2", "no extension that names a graph format"),
])
def test_bad_graph_files_are_refused_in_one_sentence(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=words) as caught:
        read_graph(tmp_path / name)
    assert "\n" not in str(caught.value) and name in str(caught.value)


def test_binary_junk_folders_and_repeated_directed_edges(tmp_path):
    (tmp_path / "g.txt").write_bytes(bytes(range(256)))
    with pytest.raises(ValueError, match="cannot be read as an edge list"):
        read_graph(tmp_path / "g.txt")
    (tmp_path / "d.gml").mkdir()
    with pytest.raises(ValueError, match="is a folder"):
        read_graph(tmp_path / "d.gml")
    (tmp_path / "h.txt").write_text("1 2\n2 1\n")
    assert set(read_graph(tmp_path / "h.txt", directed=True).edges) == {(1, 2), (2, 1)}
    (tmp_path / "two.g6").write_text("A_\nA_\n")
    with pytest.raises(ValueError, match="holds 2 graphs"):
        read_graph(tmp_path / "two.g6")
    (tmp_path / "e.txt.gz").write_bytes(gzip.compress(b"a b\n")[:-9])
    with pytest.raises((ValueError, OSError), match="e.txt.gz cannot be read"):
        read_graph(tmp_path / "e.txt.gz")


def test_parallel_edges_stay_for_the_topology_to_refuse(tmp_path):
    path = tmp_path / "g.net"
    nx.write_pajek(nx.MultiGraph([("a", "b"), ("a", "b")]), path)
    assert read_graph(path).is_multigraph()


@pytest.mark.parametrize("name, text, words", [
    ("g.json", json.dumps({"nodes": [{"id": "a"}, {"id": "b"}],
                           "links": [{"source": "a", "target": "b"}] * 2}), None),
    ("g.json", json.dumps({"nodes": [{"id": "a"}, {"id": "b"}], "links": [{"source": "a", "target": "c"}]}),
     "a link's target is 'c', which is none of its nodes"),
    ("g.adjlist", "a b c b\n", "a has the neighbour b more than once"),
    ("g.multiline", "a 2\nb\nb\n", "a has the neighbour b more than once"),
    ("g.edgelist", "a\x01 b\n", "names cannot hold control characters"),
])
def test_no_reader_merges_or_invents(tmp_path, name, text, words):
    path = tmp_path / name
    path.write_text(text)
    if words is None:
        assert read_graph(path).is_multigraph()         # which a topology refuses
        return
    with pytest.raises(ValueError, match=words):
        read_graph(path)


def test_an_adjacency_list_may_name_an_edge_from_both_its_ends(tmp_path):
    path = tmp_path / "g.adjlist"
    path.write_text("1 2 3\n2 1\n3 1\n")
    assert read_graph(path).number_of_edges() == 2
    assert read_graph(path, directed=True).number_of_edges() == 4


# -- landscapes ---------------------------------------------------------------------------

MAP = np.array([[0., 1, 2], [3, 4, 2]])


@pytest.mark.parametrize("name, text", [
    ("m.txt", "0 1 2\n3\t4 2\n"), ("m.txt", "# sugar\n\n0 1 2 # row\n3 4 2"), ("m.csv", "0,1,2\n3, 4 ,2e0\n"),
    ("m.csv", "0;1;2\r\n3;4;2\r\n"), ("m", "\ufeff0 1 2\n3 4 2\n"),
])
def test_text_maps(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text.encode())
    np.testing.assert_array_equal(read_supply(path, scale="none"), MAP)
    np.testing.assert_allclose(read_supply(str(path)), MAP / 2)


def test_array_maps_and_one_file_for_each_resource(tmp_path):
    paths = [tmp_path / "a.npy", tmp_path / "b.txt"]
    np.save(paths[0], MAP.astype(np.uint8))
    np.savetxt(paths[1], 10 * MAP[::-1])
    both = read_supply(paths)
    assert both.shape == (2, 3, 2) and both.dtype == np.float64
    np.testing.assert_allclose(both.mean(axis=(0, 1)), 1)
    np.testing.assert_allclose(read_supply(paths, scale="none")[..., 1], 10 * MAP[::-1])
    np.save(paths[0], np.stack([MAP, 5 * MAP], axis=-1))
    np.testing.assert_allclose(read_supply(paths[0]), np.stack([MAP, MAP], axis=-1) / 2)
    with pytest.raises(ValueError, match=r"a.npy has shape \(2, 3, 2\); of several"):
        read_supply(paths)


@pytest.mark.parametrize("name, text, words", [
    ("m.txt", "1 2\n3 x\n", "m.txt, line 2, value 2: 'x' is not a number"),
    ("m.csv", "1,2\n3,\n", "line 2, value 2: '' is not a number"),
    ("m.txt", "# a\n1 2\n\n3 nan\n", r"line 4, value 2: a supply must be finite and in \[0, inf\), not nan"),
    ("m.txt", "1 2\n-3 4\n", "line 2, value 1: .* not -3"),
    ("m.txt", "1 inf\n", "line 1, value 2: .* not inf"),
    ("m.txt", "1 2\n3 4 5\n", "line 2 has 3 values where line 1 has 2"),
    ("m.txt", "# nothing\n", "holds no numbers"),
    ("m.txt", "0 0\n", "all values are 0 and cannot be scaled"),
    ("m.txt", "1e308 1e308\n", "too large to be scaled"),
    ("m.npy", "1 2", "cannot be read as a NumPy array"),
])
def test_bad_maps_are_refused_in_one_sentence(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=words) as caught:
        read_supply(tmp_path / name)
    assert "\n" not in str(caught.value) and name in str(caught.value)


@pytest.mark.parametrize("array, words", [
    (np.ones(4), r"has shape \(4,\)"), (np.ones((2, 2, 2, 2)), r"has shape \(2, 2, 2, 2\)"),
    (np.ones((0, 3)), r"has shape \(0, 3\)"), (np.ones((2, 2), complex), "complex128 values"),
    (np.array([["a"]]), "<U1 values"), (np.array([[None]]), "cannot be read as a NumPy array"),
    (np.array([[[1., -2.]]]), r"cell \(0, 0, 1\): .* not -2"),
    (np.array([[[1., 0.], [1., 0.]]]), "all values of resource 1 are 0"),
])
def test_bad_arrays_are_refused(tmp_path, array, words):
    np.save(tmp_path / "m.npy", array)
    with pytest.raises(ValueError, match=words):
        read_supply(tmp_path / "m.npy")


def test_the_other_ways_to_ask_wrongly(tmp_path):
    (tmp_path / "a.txt").write_text("1 2\n")
    (tmp_path / "b.txt").write_text("1 2 3\n")
    with pytest.raises(ValueError, match="b.txt is 1×3 where .*a.txt is 1×2"):
        read_supply([tmp_path / "a.txt", tmp_path / "b.txt"])
    with pytest.raises(FileNotFoundError, match="there is no supply file nowhere.txt"):
        read_supply("nowhere.txt")
    with pytest.raises(ValueError, match="is a folder"):
        read_supply(tmp_path)
    with pytest.raises(ValueError, match="no supply file"):
        read_supply([])
    with pytest.raises(ValueError, match="did you mean 'mean'"):
        read_supply(tmp_path / "a.txt", scale="means")
    (tmp_path / "c.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is not a text file"):
        read_supply(tmp_path / "c.txt")
    np.save(tmp_path / "t.npy", np.ones((9, 9)))
    whole = (tmp_path / "t.npy").read_bytes()
    (tmp_path / "t.npy").write_bytes(whole[:-100])
    with pytest.raises(ValueError, match="cannot be read as a NumPy array"):
        read_supply(tmp_path / "t.npy")
