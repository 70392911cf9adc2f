"""Worlds to watch and to play with in a notebook: :func:`view`.

What is played is a *twin*: a fork with the same seed, so the same luck. The world that
was given stays as it is, whatever is clicked, and may be stepped or measured meanwhile.
Looking changes nothing; only sliders do, in the twin, whose history says when.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["view"]

#: The parameters that matter most: how far members care, what giving costs, what practice brings.
SLIDERS = ("care.weight", "exchange.share_cost", "production.skill_gain")
#: What the time series show unless told otherwise.
SERIES = ("welfare", "division_of_labour", "dependence", "share_rate")


def view(world, other=None, *, field="task", sliders=SLIDERS, series=SERIES, roles=None, wholes=None,
         names=None):
    """Show a world live in a notebook, or two side by side: play, pause, step, reset, and change parameters.

    Click a member (or move with the arrow keys) to see its state; its suppliers and clients are marked.

    Parameters
    ----------
    world : World
        What is played is a fork: the world itself is not changed, and its jobs and recordings stay with it. So a world
        may be shown by several views, which know nothing of each other.
    other : World, optional
        Shown at the right and stepped tick for tick with the first, such as ``world.fork()``: a twin with the same
        luck. Sliders move the left world, unless told otherwise on the page.
    field : str, default "task"
        What the colours show: ``task`` (of the last tick), ``dominant_task`` (the task done most; the
        paler, the less one-sidedly), ``welfare``, ``dependence``, any column of the state, of one with a
        second axis a part, such as ``stock 0``; ``role``, and ``whole 0``, ``whole 1``, … by level, where there are
        any.
    sliders : str, sequence of str or None
        Parameters to change while the worlds run; by default how far members care, what giving costs and what practice
        brings.
    series : names, mapping or None
        Measures over time: names of :data:`organism.measures.SCALARS`, or functions of a world by name. A measure
        that takes long is taken less often.
    roles : Roles, optional
        What :func:`organism.find_roles` found in the world; the page can find them too.
    wholes : Wholes, optional
        What :func:`organism.find_wholes` found in the world; the page can find them too.
    names : sequence of str, optional
        What the worlds are called.

    Returns
    -------
    FieldView or matplotlib Axes
        An anywidget with the traits ``playing``, ``speed`` (ticks a second, from 0.1; at 10,000 as
        fast as it can), ``field``, ``values`` (of the
        sliders, by name), ``acts_on`` ("left", "right" or "both"), ``flows`` (whether they are drawn) and ``borders``
        (the level of wholes whose boundaries are drawn, or -1); the methods ``step``, ``reset``, ``select``,
        ``find_roles``, ``find_wholes`` and ``close``; and ``world`` and ``worlds``: copies of what is shown, whose
        ``history`` tells how sliders were moved; assign others to show those. Without anywidget a still picture of the
        first world.

    Raises
    ------
    TypeError, ValueError
        If a world is none, or a name is unknown or not for a slider.

    Notes
    -----
    Ticks are computed in the background, and other cells run on. It plays while somebody looks: when the page is
    closed, or in a hidden tab, it waits. A measure that raises is left out from then on, and the page says why.

    Jupyter keeps every view, and a view its worlds, until ``close`` is called (or the kernel ends).

    Examples
    --------
    >>> import organism as og
    >>> world = og.World(og.Topology.grid((16, 16)), rng=1)
    >>> shown = og.view(world, field="welfare")         # doctest: +SKIP
    >>> shown = og.view(world, world.fork(), sliders=["care.weight", "exchange.loss"])   # doctest: +SKIP
    """
    from .. import _paint  # matplotlib, which ``import organism`` does without
    from ._series import read_measures
    from ._subject import Subject
    from ._widget import field_view, still

    subjects = [Subject(world, roles, wholes)]
    if other is not None:
        subjects.append(Subject(other, roles, wholes, "other"))
    for one in subjects:
        _paint.check_field(one.world, field, roles, wholes)
    if not isinstance(sliders, str | Iterable | None):
        raise TypeError(f"sliders must be names of parameters, not {sliders!r:.60}")
    sliders = [sliders] if isinstance(sliders, str) else list(sliders or ())
    for name in sliders:
        if sliders.count(name) > 1:
            raise ValueError(f"sliders must be different parameters; {name!r} is there twice")
        for one in subjects:
            one.slider(name)
    read_measures(series)
    if names is not None and (isinstance(names, str) or not isinstance(names, Iterable)
                              or len(names := list(names)) != len(subjects)
                              or not all(isinstance(name, str) for name in names)):
        raise ValueError(f"names must be one name for each of the {len(subjects)} worlds, not {names!r:.60}")
    widget = field_view()
    if widget is None:
        return still(world, field, roles, wholes)
    return widget([one.fork() for one in subjects], field, sliders, series, names)
