"""What a world reports of itself: the goods audit and recordings of measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["Audit", "Recording"]


@dataclass(frozen=True)
class Audit:
    """The account of every good since the world began; each field has shape (K,), in goods.

    What came in, ``initial + produced + added``, equals what is there,
    ``held + ground``, plus what went: ``burned + spoiled + lost + removed``.

    Attributes
    ----------
    initial, produced, added : ndarray of float64, shape (K,)
        Stocks at the start; goods made; goods brought in by interventions.
    held, ground : ndarray of float64, shape (K,)
        Goods in the members' stocks, and left on the ground by the dead.
    burned, spoiled, lost, removed : ndarray of float64, shape (K,)
        Goods consumed, spoiled, lost on the way, and taken out by interventions.
    """

    initial: np.ndarray
    produced: np.ndarray
    added: np.ndarray
    held: np.ndarray
    ground: np.ndarray
    burned: np.ndarray
    spoiled: np.ndarray
    lost: np.ndarray
    removed: np.ndarray

    @property
    def residual(self) -> np.ndarray:
        """Goods unaccounted for, shape (K,); rounding alone should be left."""
        came = self.initial + self.produced + self.added
        went = self.held + self.ground + self.burned + self.spoiled + self.lost + self.removed
        return came - went

    @property
    def relative(self) -> float:
        """Largest residual, relative to all goods that came in."""
        came = self.initial + self.produced + self.added
        return float(np.max(np.abs(self.residual) / np.maximum(came, 1.)))

    @property
    def closes(self) -> bool:
        """Whether the account closes to rounding: ``relative`` below 1e-9."""
        return self.relative < 1e-9

    def to_dict(self) -> dict[str, list[float]]:
        """Return the account as lists, the residual included."""
        names = (*self.__dataclass_fields__, "residual")
        return {name: [float(v) for v in getattr(self, name)] for name in names}

    def __str__(self) -> str:
        rows = [f"{name:>9} " + " ".join(f"{v:16,.6g}" for v in values)
                for name, values in self.to_dict().items()]
        verdict = "closes" if self.closes else "DOES NOT CLOSE"
        return "\n".join(rows) + f"\nthe account {verdict}: largest residual {self.relative:.1e} of what came in"


class Recording(Mapping):
    """A time series of measures, taken while a world runs.

    A mapping from measure name to the array of its values, one entry a reading;
    ``ticks`` holds when each was taken. Made by :meth:`World.record`.
    """

    def __init__(self, measures: Mapping[str, Callable]):
        self._measures = dict(measures)
        self._ticks: list[int] = []
        self._values: dict[str, list] = {name: [] for name in self._measures}

    def __call__(self, world) -> None:
        """Take a reading of ``world`` now; all measures or, should one raise, none."""
        values = {name: measure(world) for name, measure in self._measures.items()}
        self._ticks.append(world.tick)
        for name, value in values.items():
            self._values[name].append(value)

    @property
    def ticks(self) -> np.ndarray:
        """Ticks of the readings, shape (n,)."""
        return np.array(self._ticks, np.int64)

    def __getitem__(self, name: str) -> np.ndarray:
        return np.array(self._values[name])

    def __iter__(self):
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def to_dict(self) -> dict[str, np.ndarray]:
        """Return ``{"tick": ticks, name: values, …}``."""
        return {"tick": self.ticks, **{name: self[name] for name in self}}

    def frame(self):
        """Return the series as a pandas DataFrame indexed by tick; scalar measures only."""
        import pandas as pd

        return pd.DataFrame({name: list(values) for name, values in self.items()},
                            index=pd.Index(self._ticks, name="tick"))

    def __repr__(self) -> str:
        return f"Recording({len(self._ticks)} readings of {', '.join(self) or 'nothing'})"
