"""Mesa's Sugarscape with trade, its land on `organism.Field`: same results, faster, and who trades with whom."""

from pathlib import Path

import mesa
import networkx as nx
import numpy as np
from agents import Trader
from mesa.discrete_space import OrthogonalVonNeumannGrid
from mesa.examples.advanced import sugarscape_g1mt

from organism import Field

__all__ = ["Sugarscape"]

#: The map that Mesa ships.
SUGAR_MAP = Path(sugarscape_g1mt.__file__).parent / "sugar-map.txt"


def price(model):
    """Return the geometric mean of the prices of this step, not a number without trade."""
    prices = [one for trader in model.agents for one in trader.prices]
    return float(np.exp(np.log(prices).mean())) if prices else float("nan")


def volume(model):
    """Return the number of trades of this step."""
    return sum(len(trader.trade_partners) for trader in model.agents)


class Sugarscape(mesa.Model):
    """Sugar and spice on two layers, and traders who live on both.

    Parameters
    ----------
    initial_population : int
    endowment_min, endowment_max, metabolism_min, metabolism_max, vision_min, vision_max : int
        What is drawn for each trader lies between these.
    enable_trade : bool
    rng : int or Generator, optional

    Attributes
    ----------
    sugar, spice : Field
        Layers of the grid; `empty` is Mesa's own of that name.
    land : tuple of ndarray
        Their memory during a step, one number a site: what traders read and eat.
    given : dict
        (who gave, who got) by unique id → [sugar, spice] so far.
    """

    def __init__(self, initial_population=200, endowment_min=25, endowment_max=50, metabolism_min=1, metabolism_max=5,
                 vision_min=1, vision_max=5, enable_trade=True, rng=None):
        super().__init__(rng=rng)
        self.enable_trade = enable_trade
        self.sugar_most = np.genfromtxt(SUGAR_MAP)
        self.spice_most = np.flip(self.sugar_most, 1)
        self.grid = OrthogonalVonNeumannGrid(self.sugar_most.shape, torus=False, random=self.random)
        self.cells = list(self.grid)
        self.site = {cell: site for site, cell in enumerate(self.cells)}
        self.sugar, self.spice = Field.attach(self.grid, "sugar"), Field.attach(self.grid, "spice")
        self.sugar.array[:], self.spice.array[:] = self.sugar_most, self.spice_most
        self.empty = Field.attach(self.grid, "empty", default=True, dtype=bool)
        self.given, self._seen = {}, {}
        self._places = np.array([cell.coordinate for cell in self.cells])

        def draw(low, high):
            return self.rng.integers(low, high, initial_population, endpoint=True).tolist()

        Trader.create_agents(
            self, initial_population, self.random.choices(self.cells, k=initial_population),
            sugar=draw(endowment_min, endowment_max), spice=draw(endowment_min, endowment_max),
            metabolism_sugar=draw(metabolism_min, metabolism_max),
            metabolism_spice=draw(metabolism_min, metabolism_max), vision=draw(vision_min, vision_max))
        self.datacollector = mesa.DataCollector(model_reporters={
            "#Traders": lambda model: len(model.agents), "Trade Volume": volume, "Price": price})

    def sight(self, site, vision):
        """Return the sites that are seen from a site, itself among them, in Mesa's order, and how far they are."""
        key = site, vision
        if key not in self._seen:
            cell = self.cells[site]
            cells = cell.get_neighborhood(vision, include_center=True).cells
            away = self._places[sites := np.array([self.site[one] for one in cells])] - self._places[site]
            self._seen[key] = sites, np.hypot(*away.T)
        return self._seen[key]

    def note(self, seller, buyer, sugar, spice):
        """Note a trade: sugar goes one way and spice the other."""
        for giver, getter, kind, amount in ((seller, buyer, 0, sugar), (buyer, seller, 1, spice)):
            self.given.setdefault((giver.unique_id, getter.unique_id), [0, 0])[kind] += amount

    def interdependence(self):
        """Return who gave whom how much in trades as a `networkx.DiGraph` of all traders who ever traded or live."""
        graph = nx.DiGraph()
        graph.add_nodes_from(trader.unique_id for trader in self.agents)
        graph.add_edges_from((*pair, {"weight": float(sugar + spice), "sugar": sugar, "spice": spice})
                             for pair, (sugar, spice) in self.given.items())
        return graph

    def step(self):
        """Let the land grow, then traders move, eat and maybe die, then trade; each time in random order."""
        self.sugar.regrow(1, self.sugar_most)
        self.spice.regrow(1, self.spice_most)
        self.land = self.sugar.values, self.spice.values, self.empty.values
        for trader in self.agents.shuffle():
            trader.prices, trader.trade_partners = [], []
            trader.move()
            trader.eat()
            trader.maybe_die()
        if self.enable_trade:
            self.agents.shuffle_do("trade_with_neighbors")
        self.datacollector.collect(self)


if __name__ == "__main__":
    model = Sugarscape(rng=1)
    for _ in range(100):
        model.step()
    print(model.datacollector.get_model_vars_dataframe().tail(3).round(3))
    print(model.interdependence())
