"""How members fare."""

from __future__ import annotations

import numpy as np

from ._sources import column, mean

__all__ = ["welfare"]


def welfare(source, *, each: bool = False):
    """Return the mean welfare of the living, each member's floored at 0.

    Parameters
    ----------
    source : World or array_like
        A world, or welfares.
    each : bool, default False
        Return one value a member instead.

    Returns
    -------
    float or ndarray of shape (members,)
        In [0, 1]; 0.0 if nobody lives.
    """
    values = np.maximum(0.0, column(source, "welfare"))
    return values if each else mean(values)
