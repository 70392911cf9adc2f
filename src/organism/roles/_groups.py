"""The division of labour between groups and within them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import seed as resolved
from .._checks import whole
from .._matching import known_of, labels_of
from ..measures._null import expected_information, null_mixes, whole_draws
from ..measures._sources import entropy, ratio
from ..wholes import Null
from ._acts import acts_of

__all__ = ["Labour", "labour_between"]


@dataclass(frozen=True, eq=False)
class Labour:
    """How the division of labour splits into one between groups and one within them.

    Parameters
    ----------
    total, between, within : float
        I(member; task) = I(group; task) + I(member; task | group), each over H(task): in [0, 1], as observed.
    corrected : dict of str to float
        The same three less what chance gives (the mean of the null "acts", exact), scaled so that no division is 0 and
        a full one stays what it is. They add up too; below 0 means less than chance.
    nulls : dict of str to dict of str to Null
        "groups" (group labels permuted among the members: do groups divide labour more, or less, than groups of
        the same members by lot?) of "between" and "within"; "acts" (acts dealt out again, both margins
        fixed: is labour divided at all?) of all three. Each with p-values of both tails.
    groups : ndarray
        Names of the groups.
    sizes : ndarray of int64, shape (groups,)
        Members that acted.
    entropy : float
        H(task), bits.
    alpha : float
    seed : int
    matched : int or None
        Members that were matched by uid; None if groups were given in the members' order.
    """

    total: float
    between: float
    within: float
    corrected: dict[str, float]
    nulls: dict[str, dict[str, Null]]
    groups: np.ndarray
    sizes: np.ndarray
    entropy: float
    alpha: float
    seed: int
    matched: int | None = None

    @property
    def defined(self) -> bool:
        """Whether there are two members that acted and two tasks done; else all is 0 and every p-value 1."""
        return self.entropy > 1e-9 and self.sizes.sum() > 1

    def __str__(self) -> str:
        if not self.defined:
            return "No division of labour to split: fewer than two members acted, or all did the same task."
        acts, groups = self.nulls["acts"]["total"], self.nulls["groups"]["between"]
        if acts.above > self.alpha:
            return (f"Labour is not divided: D_ind = {self.total:.2f}, and {acts.values.mean():.2f} by chance "
                    f"(p = {acts.above:.3g}).")
        between, within = (round(self.corrected[part], 2) + 0.0 for part in ("between", "within"))    # no "-0.00"
        lines = [f"Of the division of labour ({self.corrected['total']:.2f} of 1, corrected for chance; p = "
                 f"{acts.above:.3g}) {between:.2f} lies between the {len(self.groups)} groups and {within:.2f} within "
                 "them" + ("." if self.matched is None else f" ({self.matched:,} members matched by uid).")]
        if len(self.groups) < 2:
            return lines[0] + " One group cannot differ from others."
        by_lot = (f"the part between groups is {_brief(self.between)}, and would be {_brief(groups.values.mean())} if "
                  "members were dealt to groups at random")
        if groups.above <= self.alpha / 2:
            lines.append(f"Groups divide labour among themselves: {by_lot} (p = {groups.above:.3g}).")
        elif groups.below <= self.alpha / 2:
            lines.append(f"Groups are more alike than chance, each a balanced bundle: {by_lot} (p = "
                         f"{groups.below:.3g}).")
        else:
            lines.append(f"Groups do not differ beyond chance: {by_lot} (p = {groups.above:.3g} above, "
                         f"{groups.below:.3g} below).")
        return "\n".join(lines)

    __repr__ = __str__

    def frame(self):
        """Return one row a part and null as a pandas DataFrame: observed, corrected, the null's mean, p-values."""
        import pandas as pd

        return pd.DataFrame([
            {"part": part, "observed": getattr(self, part), "corrected": self.corrected[part], "null": null,
             "mean": found.values.mean(), "above": found.above, "below": found.below}
            for null, parts in self.nulls.items() for part, found in parts.items()])


def labour_between(source, groups, *, n_resamples: int = 199, alpha: float = 0.05, draws=None, window: int = -1,
                   rng=None) -> Labour:
    """Split the division of labour into one between groups and one within them.

    With p the share of each cell of the members × tasks table in all acts, the chain rule of information says
    I(member; task) = I(group; task) + I(member; task | group). The first part is large where each group does its own
    tasks, the second where the members of a group do different ones.

    Parameters
    ----------
    source : World, Snapshot, Snapshots, mapping or array_like
        What :func:`find_roles` takes; the first block is split (tasks).
    groups : Level, Roles, Blocks or array_like, shape (n,)
        Groups matched by uid (rows of a table are 0, 1, …); or the group of each member, in the order of the living
        members (of a world) or of the rows. Of numbers, negative ones mean none; such members, and those that a level
        does not know, are left out.
    n_resamples : int, default 199
        Tables of each null.
    alpha : float, default 0.05
        Level at which the text says yes (half of it at each tail, where both count).
    draws : float or array_like, shape (n,), optional
        How many independent acts a member's row is worth; see :func:`find_roles`.
    window : int, default -1
        Which snapshot of a series.
    rng : int, SeedSequence, Generator or None

    Returns
    -------
    Labour

    References
    ----------
    Gorelick, Bertram (2007) Quantifying division of labor: borrowing tools from sociology, sociobiology, information
    theory, landscape ecology, and biogeography. *Insectes Sociaux* 54: 105-112. Cover, Thomas (2006) *Elements of
    Information Theory*, 2.5 (the chain rule). Vinh, Epps, Bailey (2010) Information theoretic measures for
    clusterings comparison. *Journal of Machine Learning Research* 11: 2837-2854 (the correction).

    Examples
    --------
    >>> found = labour_between([[40, 0], [40, 0], [0, 40], [0, 40]], ["a", "a", "b", "b"], rng=1)
    >>> found.total, found.between, found.within
    (1.0, 1.0, 0.0)
    """
    n_resamples, seed = whole("n_resamples", n_resamples, 1), resolved(rng)
    acts = acts_of(source, draws=draws, window=window)
    label, matched = labels_of("groups", groups, acts.uid)
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be in (0, 1), not {alpha!r}")
    counts = next(iter(acts.blocks.values()))
    known = known_of(label)
    rows = whole_draws(counts, counts, 1.0, acts.draws) * known
    acting = rows > 0
    counts, rows = counts[acting], rows[acting]
    names, label = np.unique(label[acting], return_inverse=True)
    top = float(entropy(ratio(counts.sum(axis=0), counts.sum())))
    sizes = np.bincount(label, minlength=len(names))
    if top < 1e-9 or len(rows) < 2:
        nothing = Null.of(0.0, np.zeros(n_resamples))
        return Labour(0.0, 0.0, 0.0, dict.fromkeys(("total", "between", "within"), 0.0),
                      {"groups": dict.fromkeys(("between", "within"), nothing),
                       "acts": dict.fromkeys(("total", "between", "within"), nothing)},
                      names, sizes, top if len(rows) > 1 else 0.0, alpha, seed, matched)
    rng = np.random.default_rng(seed)
    weight, mixes = counts.sum(axis=1) / counts.sum(), counts / counts.sum(axis=1, keepdims=True)
    total, between = (float(part) for part in _information(mixes, weight, label, len(names)))
    lots = np.array([_information(mixes, weight, rng.permutation(label), len(names))[1] for _ in range(n_resamples)])
    dealt = np.concatenate([np.stack(_information(table, weight, label, len(names)), axis=1)
                            for table in null_mixes(counts, rows, n_resamples, rng)])
    together = np.stack([np.bincount(label, column, len(names)) for column in counts.T], axis=1)
    expected = (expected_information(counts, rows),
                expected_information(together, np.bincount(label, rows).astype(np.int64)))
    most = min(top, float(entropy(weight)))
    scale = most / (most - expected[0]) if most - expected[0] > 1e-9 else 0.0
    corrected = {"total": scale * (total - expected[0]), "between": scale * (between - expected[1])}
    corrected["within"] = corrected["total"] - corrected["between"]
    observed = {"total": total, "between": between, "within": total - between}
    nulls = {"groups": {"between": lots, "within": total - lots},
             "acts": {"total": dealt[:, 0], "between": dealt[:, 1], "within": dealt[:, 0] - dealt[:, 1]}}
    return Labour(**{part: value / top for part, value in observed.items()},
                  corrected={part: value / top for part, value in corrected.items()},
                  nulls={null: {part: Null.of(observed[part] / top, values / top) for part, values in parts.items()}
                         for null, parts in nulls.items()},
                  groups=names, sizes=sizes, entropy=top, alpha=alpha, seed=seed, matched=matched)


def _information(mixes, weight, label, n_groups: int):
    """Return I(member; task) and I(group; task), in bits, of mixes (…, members, tasks)."""
    from scipy import sparse

    member = sparse.csr_array((weight, (label, np.arange(len(label)))), shape=(n_groups, len(label)))
    tables = mixes.reshape(-1, *mixes.shape[-2:])
    flat = (member @ tables.transpose(1, 0, 2).reshape(len(label), -1)).reshape(n_groups, len(tables), -1)
    size = np.bincount(label, weight, n_groups)
    top = entropy(flat.sum(axis=0), axis=-1)
    total = top - entropy(tables, axis=-1) @ weight
    between = top - size @ entropy(ratio(flat, size[:, None, None]), axis=-1)
    return (np.maximum(total, 0).reshape(mixes.shape[:-2])[()], np.maximum(between, 0).reshape(mixes.shape[:-2])[()])


def _brief(value: float) -> str:
    """Return a number of two digits that count: small ones are told apart, and none looks like 0 that is not."""
    return "0" if value == 0 else f"{value:.2g}" if abs(value) >= 1e-4 else "below 0.0001"
