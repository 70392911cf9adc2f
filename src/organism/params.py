"""Parameters of the model: frozen dataclasses, one per mechanism.

Every field carries its unit, its range and where it comes from, so that the
command line, the documentation and the validation all read one table. A value
is checked when the dataclass is made; a bad one is refused in one sentence.

>>> from organism import Params
>>> params = Params.preset("organic").replace(**{"care.weight": 0.5})
>>> params.care.weight
0.5
"""

from __future__ import annotations

import dataclasses
import json
import numbers
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ._checks import closest
from ._fields import LARGEST, _field, _Group, _plain, _text, range_text

__all__ = [
    "Care",
    "Demography",
    "Exchange",
    "Learning",
    "Metabolism",
    "Params",
    "Production",
    "Start",
]

#: ``care.kind``: where the welfare that a member cares about is looked for.
CARE_KINDS = ("self", "neighbours", "kin", "interdependence", "whole")
#: Member columns that a child takes from its parent and that may mutate.
TRAITS = ("care", "capability", "reserve", "learning_rate")


@dataclass(frozen=True, kw_only=True)
class Production(_Group):
    """Tasks, skills and what a site yields (pass 3)."""

    base_yield: float = _field(
        1.6, "goods made by an unskilled act at supply 1", "goods/tick", 0, LARGEST, source="MODEL.md 7.3")
    skill_gain: float = _field(
        1.5, "extra yield of full skill, relative to base_yield", "1", 0, LARGEST, source="MODEL.md 7.3")
    skill_up: float = _field(
        0.05, "share of the missing skill learned by one act", "1/tick", 0, 1, source="MODEL.md 7.3")
    skill_down: float = _field(
        0.02, "share of a skill forgotten in a tick without practice", "1/tick", 0, 1, source="MODEL.md 7.3")
    rest: bool = _field(False, "add a last task that yields nothing and spares work_cost", source="MODEL.md 2")
    work_cost: float = _field(0.0, "welfare lost by a tick of work", "welfare", 0, LARGEST, source="MODEL.md 7.5")
    depletion: float = _field(
        0.0, "richness that a harvest of one unit takes from its site (0: supply is a flow)", "1/goods", 0, LARGEST,
        source="MODEL.md 7.3")
    regrowth: float = _field(
        0.05, "rate at which a site's richness returns to 1", "1/tick", 0, 1, source="MODEL.md 7.3")
    regrowth_law: str = _field(
        "linear", "how richness returns: rate·(1 - s), or rate·s·(1 - s)", choices=("linear", "logistic"),
        source="MODEL.md 7.3, Verhulst1838")
    task_memory: float = _field(
        0.995, "share kept a tick of the task counts that measures read", "1", 0, 1, source="MODEL.md 7.3")


@dataclass(frozen=True, kw_only=True)
class Metabolism(_Group):
    """What a member burns, keeps back and loses, and what welfare it has of it (pass 5)."""

    need: float = _field(
        1.0, "goods burned a tick, per resource", "goods/tick", 0, LARGEST, per_resource=True, source="MODEL.md 7.5")
    reserve: float = _field(
        2.0, "goods kept back from sharing, per resource", "goods", 0, LARGEST, per_resource=True,
        source="MODEL.md 7.4")
    spoilage: float = _field(
        0.02, "share of the stock that spoils a tick, per resource", "1/tick", 0, 1, per_resource=True,
        source="MODEL.md 7.5")
    complementarity: float | str = _field(
        0.0, "exponent p of the power mean: 1 substitutes, 0 geometric mean, 'leontief' minimum", "1", -LARGEST, 1,
        words=("leontief",), source="MODEL.md 7.5, Arrow1961")
    harmful: tuple = _field((), "resources whose consumption does harm", "index", indices=True, source="MODEL.md 7.5")


@dataclass(frozen=True, kw_only=True)
class Exchange(_Group):
    """Sharing along ties and what ties remember (passes 4 and 7)."""

    share_cost: float = _field(
        0.02, "welfare lost for each unit given away", "welfare/goods", 0, LARGEST, source="MODEL.md 7.5")
    loss: float = _field(0.0, "share of what is sent that is lost on the way", "1", 0, 1, source="MODEL.md 7.5")
    bond_rate: float = _field(
        0.01, "rate at which a bond follows what the partner gave", "1/tick", 0, 1, source="MODEL.md 7.7")
    bond_floor: float = _field(0.02, "smallest bond factor", "1", 0, 1, source="MODEL.md 7.7")
    memory: float = _field(
        0.99, "share γ kept a tick of traces and consumption, and so of dependence", "1", 0, 1, source="MODEL.md 7.4")


@dataclass(frozen=True, kw_only=True)
class Learning(_Group):
    """Perception and the policy gradient (passes 1, 2 and 7)."""

    rate: float = _field(0.05, "learning rate of the policies", "1", 0, LARGEST, source="MODEL.md 7.7, Williams1992")
    trace_decay: float = _field(
        0.9, "share λ kept a tick of the eligibilities", "1", 0, 1, source="MODEL.md 7.7, Baxter2001")
    baseline_rate: float = _field(
        0.02, "rate at which the appraisal baseline follows", "1/tick", 0, 1, source="MODEL.md 7.7, Williams1992")
    exploration: float = _field(0.02, "probability ε of a uniformly random task", "1", 0, 1, source="MODEL.md 7.2")
    share_exploration: float = _field(
        0.02, "floor of the probabilities to share and not to share", "1", 0, 0.5, source="MODEL.md 7.2")
    perception: int = _field(
        2, "0 sees nothing, 1 own shortfall, 2 the neighbours' shortfall too", "level", 0, 2, source="MODEL.md 7.1")
    cue: bool = _field(False, "also sense the own site's supply", source="MODEL.md 7.1")
    share_features: tuple = _field((), "names of extra features of the share policy", names=(), source="MODEL.md 7.1")
    task_bound: float = _field(
        8.0, "largest absolute weight of the task policy", "1", 0, LARGEST, source="MODEL.md 7.7")
    share_bound: float = _field(
        6.0, "largest absolute weight of the share policy", "1", 0, LARGEST, source="MODEL.md 7.7")


@dataclass(frozen=True, kw_only=True)
class Care(_Group):
    """How far others' welfare enters the signal a member learns from (pass 6)."""

    kind: str = _field(
        "interdependence",
        "whose welfare counts: self, nobody else's; neighbours, those one may give to; kin, the neighbours of "
        "one's own founder; interdependence, those who feed one, as far as one depends on them; whole, everyone's",
        choices=CARE_KINDS, source="MODEL.md 7.6")
    weight: float = _field(
        0.75, "care weight c: share of the appraisal that others' welfare makes up", "1", 0, 1, source="MODEL.md 7.6")
    saturation: float = _field(
        1 / 3, "dependence at which interdependence care is full", "1", 0, LARGEST, open_low=True,
        source="MODEL.md 7.6")
    horizon: int = _field(
        1, "longest walk over which others' welfare is averaged; its cost grows fast", "steps", 1, 8,
        source="MODEL.md 7.6")


@dataclass(frozen=True, kw_only=True)
class Demography(_Group):
    """Death and birth (pass 8)."""

    enabled: bool = _field(
        False, "members die and empty sites are refilled", source="MODEL.md 7.8, Moran1958, Ohtsuki2006")
    hazard: float = _field(
        0.001, "death hazard μ at full vitality", "1/tick", 0, 1, source="MODEL.md 7.8, Moran1958, Ohtsuki2006")
    frailty: float = _field(
        2.0, "how far low vitality raises the hazard (0: constant turnover)", "1", 0, LARGEST, source="MODEL.md 7.8")
    vitality_rate: float = _field(0.01, "rate at which vitality follows welfare", "1/tick", 0, 1, source="MODEL.md 7.8")
    refill: float = _field(
        0.05, "probability that an empty site seeks a parent", "1/tick", 0, 1,
        source="MODEL.md 7.8, Moran1958, Ohtsuki2006")
    selection: float = _field(
        6.0, "exponent σ of vitality in the draw of a parent", "1", 0, LARGEST,
        source="MODEL.md 7.8, Moran1958, Ohtsuki2006")
    dispersal: str = _field(
        "local", "parents come from in-neighbours, or from anywhere", choices=("local", "global"),
        source="MODEL.md 7.8, Ohtsuki2006")
    mutation_sd: float = _field(0.05, "standard deviation of a mutation step", "1", 0, LARGEST, source="MODEL.md 7.8")
    mutates: tuple = _field(("care",), "inherited traits that mutate", names=TRAITS, source="MODEL.md 7.8")
    inherit_policy: bool = _field(False, "children copy their parent's policies", source="MODEL.md 7.8")


@dataclass(frozen=True, kw_only=True)
class Start(_Group):
    """What founders and newborns start with."""

    stock: float = _field(
        1.0, "smallest initial stock of a founder, per resource", "goods", 0, LARGEST, source="MODEL.md 5")
    stock_spread: float = _field(
        0.1, "founders' stock is stock + U(0, stock_spread)", "goods", 0, LARGEST, source="MODEL.md 5")
    policy_sd: float = _field(
        0.01, "standard deviation of the initial task weights", "1", 0, LARGEST, source="MODEL.md 5")
    skill: float = _field(0.3, "initial skill in every task", "1", 0, 1, source="MODEL.md 5")
    welfare: float = _field(0.5, "initial welfare and appraisal baseline", "welfare", 0, 1, source="MODEL.md 5")
    vitality: float = _field(0.5, "initial vitality", "1", 0, 1, source="MODEL.md 5")


GROUPS = {
    "production": Production,
    "metabolism": Metabolism,
    "exchange": Exchange,
    "learning": Learning,
    "care": Care,
    "demography": Demography,
    "start": Start,
}


@dataclass(frozen=True, kw_only=True)
class Params:
    """All parameters of a world.

    Parameters
    ----------
    resources : int, default 3
        Number K ≥ 1 of resources.
    production, metabolism, exchange, learning, care, demography, start
        One frozen dataclass per mechanism; see :meth:`table`.

    Raises
    ------
    TypeError, ValueError
        If a value is of the wrong kind or out of range, in one sentence that
        names the parameter, the value and the range.

    Examples
    --------
    >>> Params(care=Care(weight=0.5)).care.kind
    'interdependence'
    """

    resources: int = 3
    production: Production = Production()
    metabolism: Metabolism = Metabolism()
    exchange: Exchange = Exchange()
    learning: Learning = Learning()
    care: Care = Care()
    demography: Demography = Demography()
    start: Start = Start()

    def __post_init__(self):
        k = _plain(self.resources)
        if isinstance(k, bool) or not isinstance(k, numbers.Integral) or not 1 <= k <= 1000:
            raise ValueError(f"resources must be a whole number in [1, 1000], not {k!r}")
        object.__setattr__(self, "resources", int(k))
        for name, kind in GROUPS.items():
            group = getattr(self, name)
            if not isinstance(group, kind):
                raise TypeError(f"{name} must be a {kind.__name__}, not {group!r}")
            for f in dataclasses.fields(group):
                value = getattr(group, f.name)
                if f.metadata["indices"] and value and value[-1] >= k:
                    raise ValueError(f"{name}.{f.name} must hold indices below resources = {k}, not {value[-1]}")
                if f.metadata["per_resource"] and isinstance(value, tuple) and len(value) != k:
                    raise ValueError(
                        f"{name}.{f.name} has {len(value)} values; it takes one, or one for "
                        f"each of the {k} resources"
                    )

    @property
    def tasks(self) -> int:
        """Number M of tasks: one per resource, and one more with ``production.rest``."""
        return self.resources + self.production.rest

    @property
    def features(self) -> int:
        """Number F of features that the task policy reads."""
        per_resource = self.learning.perception + self.learning.cue
        return 1 + self.resources * per_resource

    @property
    def share_features(self) -> int:
        """Number G of features that the share policy reads, the constant included."""
        return 1 + len(self.learning.share_features)

    # -- presets and variants ---------------------------------------------------------

    @classmethod
    def preset(cls, name: str) -> Params:
        """Return a named parameter set; :meth:`presets` lists the names.

        Raises
        ------
        ValueError
            If there is no such preset; the nearest name is suggested.
        """
        if name not in PRESETS:
            raise ValueError(f"no preset is called {name!r}" + closest(name, PRESETS))
        return cls().replace(**PRESETS[name][1])

    @staticmethod
    def presets() -> dict[str, str]:
        """Return the presets' names, each with one line on what it is."""
        return {name: doc for name, (doc, _) in PRESETS.items()}

    def replace(self, **changes) -> Params:
        """Return a copy with some parameters changed.

        Parameters
        ----------
        **changes
            ``resources=``, a whole group (``care=Care(...)``), or dotted names,
            ``**{"care.weight": 0.5}``.

        Raises
        ------
        ValueError
            If a name is unknown (the nearest is suggested) or a value is refused.
        """
        whole: dict[str, Any] = {}
        parts: dict[str, dict[str, Any]] = {}
        for key, value in changes.items():
            group, _, name = key.partition(".")
            if group not in GROUPS and not (group == "resources" and not name):
                raise ValueError(f"no parameter is called {key!r}" + closest(key, self.names()))
            if not name:
                whole[group] = GROUPS[group](**value) if isinstance(value, Mapping) else value
            elif name not in GROUPS[group].__dataclass_fields__:
                raise ValueError(f"no parameter is called {key!r}" + closest(key, self.names()))
            else:
                parts.setdefault(group, {})[name] = value
        for group, values in parts.items():
            whole[group] = dataclasses.replace(whole.get(group, getattr(self, group)), **values)
        return dataclasses.replace(self, **whole)

    # -- records ----------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as nested plain dicts, ready for JSON."""
        record: dict[str, Any] = {"resources": self.resources}
        for name in GROUPS:
            record[name] = {
                key: list(value) if isinstance(value, tuple) else value
                for key, value in dataclasses.asdict(getattr(self, name)).items()
            }
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Params:
        """Build parameters from :meth:`to_dict`'s form; missing names take their defaults."""
        if not isinstance(record, Mapping):
            raise TypeError(f"parameters must be a mapping of names to values, not {record!r}")
        flat: dict[str, Any] = {}
        for group, value in record.items():
            if group in GROUPS and isinstance(value, Mapping):
                flat.update({f"{group}.{name}": v for name, v in value.items()})
            else:
                flat[group] = value
        return cls(resources=flat.pop("resources", 3)).replace(**flat) if flat else cls()

    def to_json(self) -> str:
        """Return the parameters as JSON text."""
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Params:
        """Build parameters from :meth:`to_json`'s text."""
        try:
            record = json.loads(text)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"parameters must be JSON text, but {error}") from None
        return cls.from_dict(record)

    @classmethod
    def names(cls) -> list[str]:
        """Return all dotted parameter names."""
        return ["resources"] + [
            f"{group}.{f.name}" for group, kind in GROUPS.items() for f in dataclasses.fields(kind)
        ]

    def flat(self) -> dict[str, Any]:
        """Return ``{dotted name: value}`` for every parameter."""
        return {name: self[name] for name in self.names()}

    def __getitem__(self, name: str):
        """Return one parameter by its dotted name."""
        if name not in self.names():
            raise KeyError(f"no parameter is called {name!r}" + closest(name, self.names()))
        group, _, part = name.partition(".")
        return getattr(getattr(self, group), part) if part else getattr(self, group)

    @classmethod
    def table(cls) -> Iterator[dict[str, str]]:
        """Yield name, default, unit, range, meaning and source of each parameter."""
        yield {
            "name": "resources",
            "default": "3",
            "unit": "count",
            "range": "[1, 1000]",
            "doc": "number K of resources",
            "source": "MODEL.md 2",
        }
        for group, kind in GROUPS.items():
            for f in dataclasses.fields(kind):
                yield {
                    "name": f"{group}.{f.name}",
                    "default": _text(f.default),
                    "unit": f.metadata["unit"],
                    "range": range_text(f.metadata),
                    "doc": f.metadata["doc"],
                    "source": f.metadata["source"],
                }


#: Named parameter sets: one line on each, and what differs from the defaults.
PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "organic": ("care follows dependence and members learn: the defaults", {}),
    "selfish": ("members learn from their own welfare alone", {"care.kind": "self", "care.weight": 0.0}),
    "neighbours": (
        "care for the occupied neighbours, whether or not one depends on them",
        {"care.kind": "neighbours"},
    ),
    "whole": ("care for the mean welfare of everyone alive", {"care.kind": "whole"}),
    "evolving": (
        "neighbour care as an inherited trait under death and birth",
        {"care.kind": "neighbours", "exchange.share_cost": 0.05, "demography.enabled": True},
    ),
    "resting": (
        "members may rest: work costs welfare, yields more, and the own site's supply is seen",
        {
            "production.rest": True,
            "production.work_cost": 0.2,
            "learning.cue": True,
            "production.base_yield": 2.4,
        },
    ),
}
