"""Plain twins of the blocks in `organism.interact`: lists, loops and nothing clever."""


def neighbours_of(topology, reach=1, direction="out"):
    """List the sites within some ties of each site, itself left out, by permanent id."""
    near = [set() for _ in range(topology.n_sites)]
    for i, j in zip(topology.source.tolist(), topology.target.tolist(), strict=True):
        if direction == "out":
            near[i].add(j)
        else:
            near[j].add(i)
    found = []
    for i in range(topology.n_sites):
        seen, edge = {i}, {i}
        for _ in range(reach):
            edge = {k for j in edge for k in near[j]} - seen
            seen |= edge
        found.append(sorted(seen - {i}, key=lambda j: topology.site_id[j]))
    return found


def tie_weights(topology):
    """Map the ends of every tie to its weight."""
    weight = topology.weight
    return {(i, j): 1.0 if weight is None else float(weight[k])
            for k, (i, j) in enumerate(zip(topology.source.tolist(), topology.target.tolist(), strict=True))}


def diffuse(topology, values, rate, steps):
    """Send ``rate`` times the weight of a tie of what a site has along each of its ties."""
    weight, here = tie_weights(topology), [float(x) for x in values]
    for _ in range(steps):
        new = list(here)
        for (i, j), w in weight.items():
            new[i] -= rate * w * here[i]
            new[j] += rate * w * here[i]
        here = new
    return here


def flow(topology, stock, reserve, sharing, weight, loss):
    """One exchange of one resource: lists of what is left, sent and received, and a map of flows by tie."""
    n = topology.n_sites
    want = [max(0.0, reserve[i] - stock[i]) for i in range(n)]
    sent, received, flows = [0.0] * n, [0.0] * n, {}
    for i in range(n):
        ties = [(j, w) for (a, j), w in weight.items() if a == i]
        asked = sum(want[j] for j, w in ties if w > 0)
        weighed = sum(w * want[j] for j, w in ties)
        if sharing[i] and weighed > 0:
            sent[i] = min(max(0.0, stock[i] - reserve[i]), asked)
            for j, w in ties:
                flows[i, j] = sent[i] * w * want[j] / weighed
                received[j] += flows[i, j]
    return [stock[i] - sent[i] + (1 - loss) * received[i] for i in range(n)], sent, received, flows
