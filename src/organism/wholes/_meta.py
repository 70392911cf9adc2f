"""Wholes handed on to others: as triplets of who is part of what, and as meta-agents in a Mesa model."""

from __future__ import annotations

import numpy as np

from ..measures._sources import is_world

__all__ = ["to_mesa", "triplets"]

#: What Mesa must offer, and since which version it does.
NEEDED = "Mesa 3.3 or later with mesa.experimental.meta_agents.MetaAgent"


def name_of(level: int, whole: int) -> str:
    """Return what a whole of a nest is called when it is handed on."""
    return f"level {level}, whole {whole}"


def triplets(wholes, relation: str = "part of") -> list[tuple]:
    """Return who is part of what: members of wholes of the finest level, these of wholes of the next, and so on.

    Parameters
    ----------
    wholes : Wholes
    relation : str, default "part of"
        The third of each triplet.

    Returns
    -------
    list of (member, group, relation)
        Members by uid (nodes of a graph by their names), wholes as ``"level 0, whole 3"``; empty without levels.

    Examples
    --------
    >>> import networkx as nx
    >>> from organism.wholes import find_wholes
    >>> two = nx.disjoint_union(nx.complete_graph(8), nx.complete_graph(5))
    >>> triplets(find_wholes(two, nulls=(), rng=1))[0]
    (0, 'level 0, whole 0', 'part of')
    """
    made = []
    for i in range(len(wholes)):
        parts = wholes.trade.uid.tolist() if i == 0 else [name_of(i - 1, j) for j in range(wholes[i - 1].n_wholes)]
        made += [(part, name_of(i, home), relation) for part, home in zip(parts, homes(wholes, i), strict=True)]
    return made


def homes(wholes, level: int) -> list[int]:
    """Return in which whole of a level each member is, or from level 1 on each whole of the level below."""
    labels = wholes[level].labels
    if level == 0:
        return labels.tolist()
    below = wholes[level - 1]
    home = [0] * below.n_wholes
    for finer, coarser in zip(below.labels.tolist(), labels.tolist(), strict=True):
        home[finer] = coarser
    return home


def to_mesa(wholes, model, agents=None) -> list[list]:
    """Make a meta-agent of Mesa for each whole, of the agents that are its members or of the meta-agents within it.

    Parameters
    ----------
    wholes : Wholes
    model : mesa.Model
        An ``OrganismModel``, or any other.
    agents : sequence of mesa.Agent, optional
        One for each member, in the order of ``wholes.trade.uid``; None for one that has none. By default the members
        of an ``OrganismModel`` whose ``unique_id`` is the member's uid; members that died since are left out. To be
        given for other models, and for wholes of a graph whose nodes have no ``uid`` or of a table: numbers of nodes
        may be ids of agents by chance.

    Returns
    -------
    list of list of mesa MetaAgent
        By level, the finest first, then by whole; None where no member of a whole is left. Each bears its name, and
        ``level`` and ``whole``; its ``agents`` are its parts, each of which has it as ``meta_agent``.

    Raises
    ------
    ImportError
        If the Mesa that is installed has no meta-agents; :func:`triplets` needs none.
    TypeError, ValueError
        If ``model`` is no model, no agent of it is a member, or agents must be given.

    Notes
    -----
    Meta-agents are experimental in Mesa. They join ``model.agents`` (as guests of an ``OrganismModel``) and do not
    follow later deaths or changes: remove them and call again. Tested with Mesa 3.3.1, 3.5.1 and 4.0.0a0.
    """
    if not hasattr(model, "agents"):
        raise TypeError(f"model must be a mesa.Model, not {model!r:.60}")
    MetaAgent = _meta_agent()
    uids = wholes.trade.uid.tolist()
    if agents is None:
        known = {agent.unique_id: agent for agent in model.agents}
        parts = [known.get(uid) for uid in uids]
        if any(part is not None for part in parts):
            _same(wholes.trade, model)
    else:
        parts = list(agents)
        if len(parts) != len(uids):
            raise ValueError(f"agents must hold one for each of the {len(uids)} members, not {len(parts)}")
    if not any(part is not None for part in parts):
        raise ValueError("no agent of the model has the uid of a member of these wholes; give agents, one a member")
    made = []
    for i, level in enumerate(wholes):
        inside = [[] for _ in range(level.n_wholes)]
        for part, home in zip(parts, homes(wholes, i), strict=True):
            if part is not None:
                inside[home].append(part)
        parts = [MetaAgent(model, members, name_of(i, j)) if members else None for j, members in enumerate(inside)]
        for j, agent in enumerate(parts):
            if agent is not None:
                agent.level, agent.whole = i, j
        made.append(parts)
    return made


def _same(trade, model) -> None:
    """Refuse members that cannot be those of the model, though some numbers are the same."""
    world = getattr(model, "world", None)
    if not is_world(world):
        raise ValueError("agents must be given, one a member: the model is no OrganismModel, and its agents have other "
                         "ids than members have")
    if trade.ties is None and trade.uid.tolist() == list(trade.nodes):
        raise ValueError("agents must be given, one a member: the wholes come from a graph without uids or a table, "
                         "whose nodes need not be the members of this model")
    if trade.ties is not None:
        now = dict(zip(world.state["uid"][world.living].tolist(), np.asarray(world.living).tolist(), strict=True))
        for uid, node in zip(trade.uid.tolist(), trade.nodes, strict=True):
            if uid in now and world.topology.nodes[now[uid]] != node:
                raise ValueError(f"wholes must be of this model: member {uid} lives at {node!r} in them, and at "
                                 f"{world.topology.nodes[now[uid]]!r} in it; give agents, one a member")


def _meta_agent():
    """Return Mesa's class of meta-agents, or say that there is none."""
    import inspect

    try:
        from mesa import __version__
    except ImportError:
        raise ImportError(f"to_mesa needs {NEEDED}, and no Mesa is installed") from None
    try:
        from mesa.experimental.meta_agents import MetaAgent
    except ImportError:
        MetaAgent = None
    if MetaAgent is None or not {"model", "agents", "name"} <= set(inspect.signature(MetaAgent.__init__).parameters):
        raise ImportError(f"to_mesa needs {NEEDED}(model, agents, name), which Mesa {__version__} does not offer; "
                          "triplets() needs none")
    return MetaAgent
