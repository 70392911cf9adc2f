"""Traders as in Mesa's Sugarscape G1MT; they read the land as arrays and note what they give each other."""

import math

from mesa.discrete_space import CellAgent

__all__ = ["Trader"]


class Trader(CellAgent):
    """One who eats sugar and spice, looks for more, and trades the one for the other.

    Parameters
    ----------
    model : mesa.Model
    cell : mesa.discrete_space.Cell
    sugar, spice : float
        What it begins with.
    metabolism_sugar, metabolism_spice : int
        What it eats in a step.
    vision : int
        How many cells far it sees.
    """

    def __init__(self, model, cell, sugar=0, spice=0, metabolism_sugar=0, metabolism_spice=0, vision=0):
        super().__init__(model)
        self.cell, self.site, self.vision = cell, model.site[cell], vision
        self.sugar, self.spice = sugar, spice
        self.metabolism_sugar, self.metabolism_spice = metabolism_sugar, metabolism_spice
        self.prices, self.trade_partners = [], []

    def welfare(self, sugar, spice):
        """Return the welfare of having so much, numbers or arrays (Cobb and Douglas; Epstein and Axtell, p. 97)."""
        both = self.metabolism_sugar + self.metabolism_spice
        return sugar ** (self.metabolism_sugar / both) * spice ** (self.metabolism_spice / both)

    def want(self, sugar, spice):
        """Return how much spice a unit of sugar is worth to it: the marginal rate of substitution."""
        return (spice / self.metabolism_spice) / (sugar / self.metabolism_sugar)

    def move(self):
        """Go to the empty cell in sight that would make it best off, the nearest of equals."""
        sugar, spice, empty = self.model.land
        sites, distances = self.model.sight(self.site, self.vision)
        free = empty[sites]
        sites, distances = sites[free], distances[free]
        welfare = self.welfare(self.sugar + sugar[sites], self.spice + spice[sites])
        best = welfare.max()
        as_good = welfare >= best * (1 - 1e-9)
        near = distances[as_good]
        self.site = self.random.choice(sites[as_good][near <= near.min() * 1.01])
        self.cell = self.model.cells[self.site]

    def eat(self):
        """Take all there is and live on it."""
        sugar, spice, _ = self.model.land
        self.sugar += float(sugar[self.site]) - self.metabolism_sugar
        self.spice += float(spice[self.site]) - self.metabolism_spice
        sugar[self.site] = spice[self.site] = 0

    def maybe_die(self):
        """Die of having nothing left of one of them."""
        if self.sugar <= 0 or self.spice <= 0:
            self.remove()

    def trade_with_neighbors(self):
        """Trade with all in sight, as long as both are better off."""
        _, _, empty = self.model.land
        sites, _ = self.model.sight(self.site, self.vision)
        for site in sites[~empty[sites]]:
            if site != self.site:
                for other in self.model.cells[site].agents:
                    self.trade(other)

    def trade(self, other):
        """Trade with one other until nothing is won by it."""
        while True:
            mine, theirs = self.want(self.sugar, self.spice), other.want(other.sugar, other.spice)
            if math.isclose(mine, theirs):
                return
            price = math.sqrt(mine * theirs)
            buyer, seller = (self, other) if mine > theirs else (other, self)
            if not buyer.buy_sugar(seller, price):
                return
            self.prices.append(price)
            self.trade_partners.append(other.unique_id)

    def buy_sugar(self, seller, price):
        """Give spice for sugar if both gain by it and their wants do not cross, and tell whether it was done."""
        sugar, spice = (1, int(price)) if price >= 1 else (int(1 / price), 1)
        own, other = (self.sugar + sugar, self.spice - spice), (seller.sugar - sugar, seller.spice + spice)
        if own[1] <= 0 or other[0] <= 0:
            return False
        gain = self.welfare(self.sugar, self.spice) < self.welfare(*own) \
            and seller.welfare(seller.sugar, seller.spice) < seller.welfare(*other)
        if not gain or self.want(*own) <= seller.want(*other):
            return False
        (self.sugar, self.spice), (seller.sugar, seller.spice) = own, other
        self.model.note(seller, self, sugar, spice)
        return True
