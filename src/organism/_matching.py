"""Labels of members, matched by who they are and not by their place."""

from __future__ import annotations

import numpy as np

__all__ = ["known_of", "labels_of", "matched", "uid_of"]


def uid_of(name: str, division) -> np.ndarray | None:
    """Return who a division divides (Roles, Blocks, Level); None of plain labels.

    A nest of wholes counts as its level if it has just one.
    """
    trade = getattr(division, "trade", None)
    uid = getattr(division, "uid", None) if trade is None else trade.uid
    if uid is not None and not hasattr(division, "labels") and len(division) != 1:
        raise ValueError(f"{name} must be one level of the wholes, such as wholes[0], not a nest of {len(division)}")
    return uid


def matched(name: str, uid, other) -> tuple[np.ndarray, np.ndarray]:
    """Return the places, in each of two arrays of uids, of the members that are in both."""
    uid, other = np.asarray(uid).tolist(), np.asarray(other).tolist()
    place = {who: i for i, who in enumerate(other)}
    pairs = [(i, place[who]) for i, who in enumerate(uid) if who in place]
    if uid and not pairs:
        raise ValueError(f"{name} must be of members with the same uids, not of {len(other)} others")
    return tuple(np.array(pairs, np.int64).reshape(-1, 2).T)


def labels_of(name: str, division, uid) -> tuple[np.ndarray, int | None]:
    """Return a label for each of the members ``uid``, and how many were matched by uid.

    Parameters
    ----------
    name : str
        Of the argument.
    division : Roles, Blocks, Level, Wholes of one level, or array_like of shape (n,)
        An array is in the order of ``uid``, and nothing is matched (None).
    uid : ndarray, shape (n,)

    Returns
    -------
    labels : ndarray, shape (n,)
        -1 of members that the division does not know.
    matched : int or None
    """
    theirs = uid_of(name, division)
    if theirs is None:
        labels = np.asarray(getattr(division, "labels", division))
        if labels.shape != (len(uid),):
            raise ValueError(f"{name} must have one label for each of the {len(uid)} members, not shape "
                             f"{labels.shape}")
        return labels, None
    mine, other = matched(name, uid, theirs)
    labels = np.full(len(uid), -1)
    labels[mine] = np.asarray((division if hasattr(division, "labels") else division[0]).labels)[other]
    return labels, len(mine)


def known_of(labels) -> np.ndarray:
    """Tell which labels say something: of numbers those from 0 on, of others all."""
    return labels >= 0 if labels.dtype.kind in "if" else np.ones(len(labels), bool)
