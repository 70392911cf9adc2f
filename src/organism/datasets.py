"""Flow networks from published tables: ecosystems in energy or carbon, an economy in money.

Each is a directed graph: an edge points from who gives to who gets, its ``weight`` is the flow. What comes from and
goes to the world outside is no edge but belongs to the nodes: ``input``, ``export`` and ``respiration`` (heat, or
carbon breathed out), in the same unit. All are steady states: :func:`imbalance` says how nearly what each
compartment gets is what it loses, and that is as nearly as its source rounds.

>>> max(abs(share) for share in imbalance(cone_spring()).values())
0.0
"""

from __future__ import annotations

__all__ = ["NETWORKS", "chesapeake_bay", "cone_spring", "imbalance", "leontief_economy", "oyster_reef"]

# Of each compartment: standing stock (None: not in the source), input, export, respiration, and what flows to which,
# by their numbers in the table, from 1 on.

_OYSTER_REEF = {
    "filter feeders": (2000, 41.47, 0, 25.165, {5: .5135, 6: 15.791}),
    "microbiota": (2.4121, 0, 0, 5.76, {3: 1.206, 4: 1.206}),
    "meiofauna": (24.121, 0, 0, 3.5794, {4: .6609, 6: 4.2403}),
    "deposit feeders": (16.274, 0, 0, .4303, {5: .1721, 6: 1.9076}),
    "predators": (69.237, 0, 0, .3594, {6: .3262}),
    "deposited detritus": (1000, 0, 0, 6.1759, {2: 8.1721, 3: 7.2745, 4: .6431}),
}

_CONE_SPRING = {
    "plants": (None, 11184, 300, 2003, {5: 8881}),
    "bacteria": (None, 0, 255, 3275, {3: 75, 5: 1600}),
    "detritus feeders": (None, 0, 0, 1814, {4: 370, 5: 200}),
    "carnivores": (None, 0, 0, 203, {5: 167}),
    "detritus": (None, 635, 860, 3109, {2: 5205, 3: 2309}),
}

#: What each sector gives to the three, in its own unit; the unit and its price in dollars.
_LEONTIEF = {
    "agriculture": ((25, 20, 55), "bushel of wheat", 2),
    "manufacture": ((14, 6, 30), "yard of cloth", 5),
    "households": ((80, 180, 40), "man-year of labour", 1),
}

_CHESAPEAKE_BAY = {
    "phytoplankton": (3480, 522650, 0, 239556.2, {
        7: 33671.45, 8: 39440.67, 11: 4458.031, 12: 2415.342, 13: 4687.355, 22: 294.0877, 23: 22.08312, 34: 78834.63,
        35: 119270.1}),
    "bacteria in suspended POC": (79, 0, 0, 15419.45, {
        7: 1443.316, 8: 1131.006, 9: 124.1849, 11: 158.464, 12: 71.02142, 13: 109.919, 22: 13.34218, 23: 5.131606,
        35: 4179.18, 36: 9915.289}),
    "bacteria in sediment POC": (600, 0, 0, 277306.4, {
        14: 134896.3, 15: 21021.1, 16: 48089.09, 17: 30162.74, 18: 11805.24, 36: 100313.7}),
    "benthic diatoms": (177.25, 77803, 0, 27832, {17: 18086, 36: 31885}),
    "free bacteria": (390.5, 0, 0, 84148.43, {6: 91011.12, 35: 6862.686}),
    "heterotrophic microflagellates": (39, 0, 0, 45766.63, {7: 32454.66, 35: 12789.83}),
    "ciliates": (148.75, 0, 0, 37288.1, {
        8: 7850.837, 9: 3571.585, 11: 301.3558, 12: 162.1086, 13: 315.904, 35: 40009.65}),
    "zooplankton": (197.5, 0, 18720.24, 40631.3, {
        9: 7165.512, 10: 1207.448, 20: 5.104828, 21: 26.7743, 22: 1598.124, 23: 258.5752, 24: 5.417368,
        35: 22905.05}),
    "ctenophores": (19.25, 0, 0, 6698.692, {10: 572.5732, 35: 6386.473, 36: 608.8777}),
    "sea nettle": (1.75, 0, 0, 1119.406, {35: 465.0319, 36: 195.5839}),
    "other suspension feeders": (363.75, 0, 0, 3455.933, {19: 556.1747, 36: 3570.683}),
    "Mya arenaria": (110, 0, 533.105, 1930.28, {19: 225.1819, 26: 9.426217, 36: 1407.648}),
    "oysters": (1100, 0, 3133.66, 3243.631, {36: 1594.061}),
    "other polychaetes": (1186.5, 0, 0, 19939.52, {
        25: 6.004372, 26: 49.20249, 27: 261.8573, 28: 63.37948, 29: 127.4261, 36: 114449.2}),
    "Nereis": (1132.5, 0, 0, 1400.185, {
        19: 293.5468, 25: 1.751274, 26: 11.67516, 27: 80.89216, 28: 49.20245, 29: 18.84704, 36: 19165.02}),
    "Macoma spp.": (1890.25, 0, 0, 24477.17, {19: 3784.45, 27: 45.86706, 36: 19782.05}),
    "meiofauna": (337.5, 0, 0, 21384.03, {36: 26864.76}),
    "crustacean deposit feeders": (228, 0, 0, 7624.739, {
        19: 806.4227, 25: 0.2501829, 26: 11.6752, 27: 1.667886, 29: 35.94294, 32: 0.7505485, 36: 3323.846}),
    "blue crab": (275, 0, 1325.157, 4297.852, {19: 249.7562, 33: 2.045784, 36: 1458.474}),
    "fish larvae": (.1, 0, 0.9376155, 0.6251083, {36: 3.542103}),
    "alewife and blueback herring": (1.15, 0, 4.063023, 8.751126, {33: 0.2083602, 36: 13.75177}),
    "bay anchovy": (72.75, 0, 96.18159, 761.7415, {
        27: 15.10978, 28: 15.21399, 30: 2.813546, 31: 95.24374, 32: 12.81727, 33: 17.92333, 36: 1204.615}),
    "menhaden": (31.525, 0, 7.683911, 226.883, {30: 2.699752, 32: 8.306931, 33: 11.00668, 36: 137.9989}),
    "shad": (.45, 0, 0.9376006, 1.66696, {36: 2.812802}),
    "croaker": (.95, 0, 1.334343, 2.585299, {36: 4.086427}),
    "hogchoker": (9, 0, 12.21177, 26.81465, {36: 42.95469}),
    "spot": (35, 0, 55.79011, 129.3927, {30: 8.570167, 36: 211.6495}),
    "white perch": (25.475, 0, 19.47793, 41.00617, {36: 67.31846}),
    "catfish": (22.375, 0, 28.52167, 58.79467, {36: 94.90544}),
    "bluefish": (2.25, 0, 2.362459, 4.906655, {36: 6.814786}),
    "weakfish": (6.3, 0, 8.336424, 31.57422, {32: 4.480828, 36: 50.85218}),
    "summer flounder": (4.425, 0, 4.237582, 8.475175, {36: 13.64295}),
    "striped bass": (4.4, 0, 4.616097, 10.15542, {36: 16.41279}),
    "dissolved organic carbon": (21857.5, 103188, 0, 0, {5: 182022.2}),
    "suspended particulate carbon": (7631, 185150.4, 0, 0, {
        2: 32570.3, 7: 21930.12, 8: 44101.02, 9: 3405.334, 11: 2664.946, 12: 1457.171, 13: 2858.202, 22: 316.107,
        23: 108.7901, 36: 288606.4}),
    "sediment particulate carbon": (305000, 0, 0, 0, {3: 623594.4, 19: 1417.696}),
}


def _ecosystem(table: dict, **about):
    """Return a graph of compartments and their flows."""
    import networkx as nx

    graph = nx.DiGraph(**about)
    names = list(table)
    for name, (stock, *outside, _) in table.items():
        known = {} if stock is None else {"stock": float(stock)}
        graph.add_node(name, **known, **dict(zip(("input", "export", "respiration"), map(float, outside), strict=True)))
    for name, (*_, flows) in table.items():
        graph.add_weighted_edges_from((name, names[number - 1], float(flow)) for number, flow in flows.items())
    return graph


def oyster_reef():
    """Return the energy flows of an intertidal oyster reef in South Carolina: 6 compartments, 12 flows.

    Returns
    -------
    networkx.DiGraph
        kcal m⁻² d⁻¹; ``stock`` in kcal m⁻². ``export`` is 0: the source does not part it from ``respiration``.

    References
    ----------
    Dame, Patten (1981) Analysis of energy flows in an intertidal oyster reef. *Marine Ecology Progress Series* 5:
    115-124.

    Examples
    --------
    >>> oyster_reef()["filter feeders"]["deposited detritus"]["weight"]
    15.791
    """
    return _ecosystem(_OYSTER_REEF, name="oyster reef", unit="kcal per square metre and day",
                      source="Dame, Patten (1981) Marine Ecology Progress Series 5: 115-124")


def cone_spring():
    """Return the energy flows of Cone Spring, a small cold spring in Iowa: 5 compartments, 8 flows.

    Returns
    -------
    networkx.DiGraph
        kcal m⁻² y⁻¹.

    References
    ----------
    Tilly (1968) The structure and dynamics of Cone Spring. *Ecological Monographs* 38: 169-197; the flows as in
    Ulanowicz (1986) *Growth and Development: Ecosystems Phenomenology*. Springer.
    """
    return _ecosystem(_CONE_SPRING, name="Cone Spring", unit="kcal per square metre and year",
                      source="Tilly (1968) Ecological Monographs 38: 169-197; Ulanowicz (1986)")


def chesapeake_bay():
    """Return the carbon flows of the middle of Chesapeake Bay, mean of a year: 36 compartments, 122 flows.

    Crabs that eat crabs are a loop.

    Returns
    -------
    networkx.DiGraph
        mg C m⁻² y⁻¹; ``stock`` in mg C m⁻².

    References
    ----------
    Baird, Ulanowicz (1989) The seasonal dynamics of the Chesapeake Bay ecosystem. *Ecological Monographs* 59: 329-364.
    """
    return _ecosystem(_CHESAPEAKE_BAY, name="Chesapeake Bay", unit="mg carbon per square metre and year",
                      source="Baird, Ulanowicz (1989) Ecological Monographs 59: 329-364")


def leontief_economy():
    """Return Leontief's closed economy of agriculture, manufacture and households: 3 sectors, 9 flows.

    It is the example by which he explains input–output analysis, not a measured economy. Nothing enters or leaves:
    households are a sector that gives labour. What a sector keeps for itself is a loop.

    Returns
    -------
    networkx.DiGraph
        ``weight`` in dollars a year; edges also carry ``quantity``, in the giver's ``unit``, worth ``price`` dollars.

    References
    ----------
    Leontief (1986) *Input-Output Economics*, 2nd ed., chapter 2. Oxford University Press.

    Examples
    --------
    >>> economy = leontief_economy()
    >>> economy["agriculture"]["households"], economy.nodes["agriculture"]["unit"]
    ({'weight': 110.0, 'quantity': 55.0}, 'bushel of wheat')
    """
    import networkx as nx

    graph = nx.DiGraph(name="Leontief's economy", unit="dollars per year",
                       source="Leontief (1986) Input-Output Economics, chapter 2")
    for name, (_, unit, price) in _LEONTIEF.items():
        graph.add_node(name, input=0.0, export=0.0, respiration=0.0, unit=unit, price=float(price))
    for name, (amounts, _, price) in _LEONTIEF.items():
        for receiver, amount in zip(_LEONTIEF, amounts, strict=True):
            graph.add_edge(name, receiver, weight=float(price * amount), quantity=float(amount))
    return graph


#: The networks by name.
NETWORKS = {"oyster_reef": oyster_reef, "cone_spring": cone_spring, "leontief_economy": leontief_economy,
            "chesapeake_bay": chesapeake_bay}


def imbalance(graph) -> dict:
    """Return by which share each compartment gets more than it loses.

    Parameters
    ----------
    graph : networkx.DiGraph
        Nodes with ``input``, ``export`` and ``respiration`` (none means 0), edges with ``weight``.

    Returns
    -------
    dict of node to float
        (input + inflows − outflows − export − respiration) over the larger of what it gets and loses; 0 in a steady
        state.

    Examples
    --------
    >>> import networkx as nx
    >>> graph = nx.DiGraph([("a", "b", {"weight": 4.0})])
    >>> graph.nodes["a"]["input"], graph.nodes["b"]["respiration"] = 4.0, 3.0
    >>> imbalance(graph)
    {'a': 0.0, 'b': 0.25}
    """
    found = {}
    for node, data in graph.nodes(data=True):
        gets = data.get("input", 0) + graph.in_degree(node, weight="weight")
        loses = data.get("export", 0) + data.get("respiration", 0) + graph.out_degree(node, weight="weight")
        found[node] = float((gets - loses) / max(gets, loses)) if max(gets, loses) > 0 else 0.0
    return found
