"""The tick of MODEL.md in plain Python: lists, loops and the math module, nothing clever.

This is the model's slow twin. It shares no code with the compiled kernel, works in double
precision throughout and follows MODEL.md pass by pass, so the two can be held against each
other, and so that the model can be read in one sitting.

>>> after = tick(topology, params, state, ties, tick=0, seed=1, next_uid=9)     # doctest: +SKIP

A column is a list with one entry per site (``stock[i][k]``); a column of ties has one entry per
tie in the topology's order, so tie ``e`` leads from ``topology.source[e]`` to ``target[e]``.
Short names: ``i``, ``j`` sites, ``k`` a resource, ``m`` a task, ``e`` a tie.
"""

import copy
import math
from itertools import accumulate
from types import SimpleNamespace

MASK = 0xFFFFFFFF
ACT, DEATH, REFILL, BIRTH, START_POLICY, START_STOCK, MUTATION, FOUNDER, COMMAND, TRY = range(10)
CANDIDATE = 256
TRAITS = ("care", "capability", "reserve", "learning_rate")


def philox(counter, key):
    """Return the four 32-bit words of Philox4x32-10 (Salmon et al. 2011)."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        a, b = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (b >> 32) ^ c1 ^ k0, b & MASK, (a >> 32) ^ c3 ^ k1, a & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return c0, c1, c2, c3


def draw(seed, key, count, stream):
    """Return four random words: a function of its arguments, with no state anywhere."""
    return philox((count & MASK, stream, seed & MASK, seed >> 32), (key & MASK, key >> 32))


def uniform(word):
    """Return a number in [0, 1) from the word's upper 24 bits."""
    return (word >> 8) * 2.0 ** -24


def normals(word0, word1):
    """Return two independent standard normals (Box & Muller 1958)."""
    radius = math.sqrt(-2 * math.log((word0 + 1) / 2**32))
    angle = 2 * math.pi * word1 / 2**32
    return radius * math.cos(angle), radius * math.sin(angle)


def founder_key(seed, site_id, tick):
    """Return the key of a founder, or of a member put into the world at ``tick``."""
    word0, word1, _, _ = draw(seed, site_id, tick, FOUNDER)
    return word0 | word1 << 32


def start_stock(params, seed, key):
    """Return a founder's stock of each resource."""
    start = params.start
    return [start.stock + start.stock_spread * uniform(draw(seed, key, k // 4, START_STOCK)[k % 4])
            for k in range(params.resources)]


def start_policy(params, seed, key):
    """Return the task weights that a member is born with, one list of F weights per task."""
    count = params.tasks * params.features
    noise = []
    for block in range((count + 3) // 4):
        a, b, c, d = draw(seed, key, block, START_POLICY)
        noise += [*normals(a, b), *normals(c, d)]
    flat = [params.start.policy_sd * z for z in noise[:count]]
    return [flat[m * params.features:(m + 1) * params.features] for m in range(params.tasks)]


def mean(values):
    """Return the mean, 0 for none."""
    values = list(values)
    return sum(values) / len(values) if values else 0.0


def dot(a, b):
    """Return the inner product."""
    return sum(x * y for x, y in zip(a, b, strict=True))


def softmax(z):
    """Return exp(z) normalised to sum 1, without overflow."""
    top = max(z)
    weights = [math.exp(x - top) for x in z]
    total = sum(weights)
    return [x / total for x in weights]


def power_mean(h, p):
    """Return (mean hᵖ)^(1/p), written so that no p, however large or small, loses digits."""
    if p == "leontief" or min(h) == 0 and p <= 0 or max(h) == 0:
        return min(h)
    if p == 0:
        return math.exp(mean(math.log(x) for x in h))
    anchor = max(h) if p > 0 else min(h)
    powers = [math.expm1(p * math.log(x / anchor)) if x > 0 else -1.0 for x in h]
    return anchor * math.exp(math.log1p(mean(powers)) / p)


def tick(topology, params, state, ties, tick, seed, next_uid, government=None):
    """Return what one tick makes of a world.

    Parameters
    ----------
    topology : object
        ``n_sites``, ``source``, ``target``, ``weight`` (or None) and ``site_id``.
    params : organism.Params
        All parameters.
    state : dict of list
        One entry per site in each named column. Not changed.
    ties : dict of list
        ``trace``, ``bond`` (the factor) and, with a ledger, ``total``, per tie. Not changed.
    tick, seed : int
        Number of ticks done before this one; 64-bit seed of the world.
    next_uid : int
        The uid that the next newborn gets.
    government : dict, optional
        Who decides: ``regimes``, a list of organism.regimes' records, to which the column
        ``regime`` points; ``told``, K needs and K harms of each; and of each block in the column
        ``block`` its ``block_operator`` (a regime), ``quota``, ``seen``, and ``reading``, by slot
        and block. Not changed; the outcome's ``government`` is what the tick makes of it.

    Returns
    -------
    SimpleNamespace
        ``state``, ``ties``, ``next_uid``; ``goods``, a list of K amounts for each of produced,
        burned, spoiled and lost; ``closed``, exact totals of ties cut by a death, keyed by the
        two uids; and ``margins``, one ``(what, site, distance)`` per random choice: how far
        the draw, in [0, 1), fell from the nearest value that would have decided otherwise.
    """
    resources = range(params.resources)
    w = SimpleNamespace(
        params=params, tick=tick, seed=seed, next_uid=next_uid, resources=resources,
        s=SimpleNamespace(**{name: copy.deepcopy(column) for name, column in state.items()}),
        t=SimpleNamespace(**{name: copy.deepcopy(column) for name, column in ties.items()}),
        site_id=[int(x) for x in topology.site_id], margins=[], closed={},
        government=copy.deepcopy(government), made={}, burned={},
        goods={name: [0.0] * params.resources for name in ("produced", "burned", "spoiled", "lost")})
    w.sites = range(topology.n_sites)
    w.living = [i for i in w.sites if w.s.occupied[i]]
    find_neighbours(w, topology)

    if government:
        listen(w)                                       # 0
        survey(w)
        command(w)
    features = sense(w)                                 # 1
    task_slope, share_slope = choose(w, features)       # 2
    produce(w)                                          # 3
    sent, received = share(w)                           # 4
    metabolise(w, sent, received)                       # 5
    appraise(w)                                         # 6
    learn(w, task_slope, share_slope)                   # 7
    for i in w.living:
        w.s.age[i] += 1
    if params.demography.enabled:                       # 8
        reap(w)
        breed(w)
    return SimpleNamespace(state=vars(w.s), ties=vars(w.t), next_uid=w.next_uid, goods=w.goods,
                           closed=w.closed, margins=w.margins, government=w.government)


def find_neighbours(w, topology):
    """List each site's out-ties and in-ties as (tie, other end), in order of permanent ids."""
    w.ends = [(int(i), int(j)) for i, j in zip(topology.source, topology.target, strict=True)]
    w.weight = [1.0] * len(w.ends) if topology.weight is None else [float(x) for x in topology.weight]
    tie = {ends: e for e, ends in enumerate(w.ends)}
    w.reverse = [tie.get((j, i)) for i, j in w.ends]
    w.out, w.into = [[] for _ in w.sites], [[] for _ in w.sites]
    for e, (i, j) in sorted(enumerate(w.ends), key=lambda tie: w.site_id[tie[1][1]]):
        w.out[i].append((e, j))
    for e, (i, j) in sorted(enumerate(w.ends), key=lambda tie: w.site_id[tie[1][0]]):
        w.into[j].append((e, i))


def occupied(w, ties):
    """Keep the ties whose other end is occupied."""
    return [(e, j) for e, j in ties if w.s.occupied[j]]


def supply(w, i, k):
    """Return what site i offers of resource k now."""
    depletable = w.params.production.depletion > 0
    return w.s.supply[i][k] * (w.s.richness[i][k] if depletable else 1.0)


def happens(w, what, i, word, probability):
    """Decide a yes-or-no choice and note how close it was."""
    if 0 < probability < 1:
        w.margins.append((what, i, abs(uniform(word) - probability)))
    return uniform(word) < probability


def pick(w, what, i, word, weights):
    """Return the first index whose cumulative weight exceeds u·total; note how close it was."""
    u, edges = uniform(word), list(accumulate(weights))
    total = edges[-1]
    w.margins += [(what, i, abs(u - edge / total)) for edge in edges[:-1]]
    return next((c for c, edge in enumerate(edges) if u * total < edge), len(edges) - 1)


def regime(w, i):
    """Return the regime that member i is under, and what was told to it: needs and harms."""
    if not w.government:
        return None, None, None
    number, k = w.s.regime[i], w.params.resources
    return w.government["regimes"][number], w.government["told"][number][:k], w.government["told"][number][k:]


def is_a(w, i, name):
    """Tell whether member i is under a regime of that name."""
    found, _, _ = regime(w, i)
    return found is not None and type(found).__name__ == name


def operator_of(w, block):
    """Return the operator of a block, and the goods it knows to be needed and harmless."""
    number, k = w.government["block_operator"][block], w.params.resources
    told, found = w.government["told"][number], w.government["regimes"][number]
    return getattr(found, "operator", found), [g for g in range(k) if told[g] > 0 and not told[k + g]], told[:k]


def listen(w):
    """Pass 0, what is told: the needs and harms of now, to those who learn of every change."""
    own, k = w.government, w.params.resources
    for number, found in enumerate(own["regimes"]):
        said = getattr(found, "operator", found)
        if not getattr(said, "told", False):
            continue
        blocks = {block for block, operator in enumerate(own["block_operator"]) if operator == number}
        under = w.s.block if hasattr(said, "view") else w.s.regime
        there = [i for i in w.living if under[i] in (blocks if hasattr(said, "view") else {number})]
        there = there or w.living or w.sites
        need = [mean(w.s.need[i][g] for i in there) for g in w.resources]
        if said.need is not None:
            need = list(said.need) if isinstance(said.need, tuple) else [said.need] * k
        if getattr(said, "resources", None) is not None:
            need = [x if g in said.resources else 0.0 for g, x in enumerate(need)]
        harmful = w.params.metabolism.harmful if said.harmful is None else said.harmful
        before, now = own["told"][number], need + [float(g in harmful) for g in w.resources]
        own["told"][number] = now
        knew, wanted = ([told[g] > 0 and not told[k + g] for g in w.resources] for told in (before, now))
        for block in blocks if wanted != knew else ():
            quota = [max(.02, q) if new else 0.0 for q, new in zip(own["quota"][block], wanted, strict=True)]
            own["quota"][block] = [q / sum(quota) for q in quota] if any(wanted) else quota


def survey(w):
    """Pass 0, the operators: read mean shortfalls that will be acted on, and move quotas by those due."""
    own = w.government
    count = len(own["block_operator"])
    for block in range(count):
        operator, wanted, need = operator_of(w, block)
        slots = operator.delay // operator.period + 1
        if (w.tick + operator.delay) % operator.period == 0:
            slot = (w.tick + operator.delay) // operator.period % slots
            there = sorted((i for i in w.living if w.s.block[i] == block), key=lambda i: w.site_id[i])
            own["reading"][slot * count + block] = [mean(shortfall(w, i, k) for i in there) if there else -1.0
                                                    for k in w.resources]
        if w.tick % operator.period == 0:
            seen = own["reading"][w.tick // operator.period % slots * count + block]
            if seen[0] < 0:                                 # nothing was read then
                continue
            own["seen"][block] = seen
            gain = operator.gain / (1 + operator.delay / 10 if operator.scaled else 1)
            middle = mean(seen[k] for k in wanted)
            quota = [0.0] * w.params.resources
            for k in wanted:
                quota[k] = max(.02, own["quota"][block][k] + gain * need[k] * (seen[k] - middle))
            if wanted:
                own["quota"][block] = [q / sum(quota) for q in quota]


def command(w):
    """Pass 0, the members: write the orders of those under a rule or an operator."""
    s = w.s
    for i in w.living:
        decider, _, _ = regime(w, i)
        if is_a(w, i, "Rule"):
            s.order_task[i] = ruled_task(w, i, decider)
            s.order_share[i] = {"always": 1, "never": 0, "learned": -1}[decider.share]
        if not hasattr(decider, "operator") and not is_a(w, i, "Corrigible"):
            continue
        task, share, obeys = *ordered(w, i), True
        if s.block[i] >= 0 and hasattr(decider, "operator"):
            advantage = s.obeyed[i] - s.unbidden[i] + decider.margin
            if abs(advantage) > 0:
                w.margins.append(("endorse", i, abs(advantage)))
            word = draw(w.seed, s.key[i], w.tick // decider.spell, TRY)[0]
            obeys = (advantage >= 0) != happens(w, "try", i, word, decider.trial)
        s.order_task[i], s.order_share[i] = (task, share) if obeys else (-1, -1)
        if w.government["endorsing"]:
            s.obeys[i] = int(obeys) if s.block[i] >= 0 else -1


def ordered(w, i):
    """Return the task and sharing that the operator of i's block orders; -1, -1 without one."""
    s, block = w.s, w.s.block[i]
    if block < 0:
        return -1, -1
    operator, wanted, _ = operator_of(w, block)
    word0, word1, word2, _ = draw(w.seed, s.key[i], w.tick, COMMAND)
    if s.off[i]:
        return w.params.resources, 0
    if happens(w, "error", i, word0, operator.error):
        return word1 * w.params.tasks >> 32, 1
    malicious = happens(w, "malice", i, word2, operator.malice)
    if not wanted:
        return -1, -1
    if malicious:
        return min(wanted, key=lambda k: w.government["seen"][block][k]), 0
    edges = list(accumulate(w.government["quota"][block][k] for k in wanted))
    w.margins += [("rank", i, abs(s.rank[i] - edge)) for edge in edges[:-1]]
    return next((k for k, edge in zip(wanted, edges, strict=True) if s.rank[i] < edge), wanted[-1]), 1


def ruled_task(w, i, rule):
    """Return the task that a rule gives: assigned, or that of the largest shortfall."""
    if rule.task == "assigned":
        return rule.good
    lack = [shortfall(w, i, k) for k in w.resources]
    if rule.task == "largest_own_and_neighbours_shortfall":
        near = [j for _, j in occupied(w, w.out[i])]
        lack = [x + mean(shortfall(w, j, k) for j in near) for k, x in enumerate(lack)]
    best = lack.index(max(lack))
    w.margins += [("rule", i, lack[best] - x) for x in lack if x != lack[best]]
    return best


def shortfall(w, i, k):
    """Return the share of its reserve that i lacks of resource k."""
    reserve = w.s.reserve[i][k]
    return max(0.0, 1 - w.s.stock[i][k] / reserve) if reserve > 0 else 0.0


def sense(w):
    """Pass 1: return each member's features: 1, own shortfall, the neighbours' mean shortfall, the cue."""
    learning = w.params.learning
    features = {}
    for i in w.living:
        near = [j for _, j in occupied(w, w.out[i])]
        features[i] = [1.0]
        if learning.perception >= 1:
            features[i] += [shortfall(w, i, k) for k in w.resources]
        if learning.perception == 2:
            features[i] += [mean(shortfall(w, j, k) for j in near) for k in w.resources]
        if learning.cue:
            features[i] += [supply(w, i, k) for k in w.resources]
    return features


def choose(w, features):
    """Pass 2: choose tasks and whether to share; return the slopes of the log-probabilities used."""
    s, learning, tasks = w.s, w.params.learning, range(w.params.tasks)
    epsilon, floor = learning.exploration, learning.share_exploration
    task_slope, share_slope = {}, {}
    for i in w.living:
        word0, word1, _, _ = draw(w.seed, s.key[i], w.tick, ACT)

        f = features[i]
        soft = softmax([dot(s.policy[i][m], f) for m in tasks])
        p = [(1 - epsilon) * x + epsilon / len(tasks) for x in soft]
        if s.order_task[i] >= 0:
            chosen, slope = s.order_task[i], 0.0
        else:
            chosen = pick(w, "task", i, word0, p)
            slope = (1 - epsilon) * soft[chosen] / p[chosen]
        task_slope[i] = [[slope * ((m == chosen) - soft[m]) * x for x in f] for m in tasks]
        s.task[i] = chosen if chosen < len(tasks) else -1        # ordered to rest where that is no task

        g = [1.0, *s.share_feature[i]]
        soft, _ = softmax([dot(s.share_policy[i], g), 0.0])      # the logistic function
        p = floor + (1 - 2 * floor) * soft
        if s.order_share[i] >= 0:
            shares, slope = s.order_share[i] > 0, 0.0
        else:
            shares = happens(w, "share", i, word1, p)
            slope = (1 - 2 * floor) * soft * (1 - soft) / (p if shares else p - 1)
        share_slope[i] = [slope * x for x in g]
        s.shared[i] = shares
    return task_slope, share_slope


def produce(w):
    """Pass 3: make goods, practise one skill and forget the others, deplete and regrow the sites."""
    s, production = w.s, w.params.production
    for i in w.living:
        made, skill = s.task[i], s.skill[i]
        w.made[i] = 0.0
        if 0 <= made < w.params.resources:              # the last task may be rest
            amount = (supply(w, i, made) * s.capability[i] * production.base_yield
                      * (1 + production.skill_gain * skill[made] ** 2))
            w.made[i] = amount
            s.stock[i][made] += amount
            w.goods["produced"][made] += amount
            if production.depletion > 0:
                s.richness[i][made] = max(0.0, s.richness[i][made] - production.depletion * amount)
        for k in w.resources:
            practised = production.skill_up * (1 - skill[k])
            skill[k] += practised if k == made else -production.skill_down * skill[k]
        for m in range(w.params.tasks):
            s.task_counts[i][m] = production.task_memory * s.task_counts[i][m] + (m == made)

    if production.depletion > 0:
        for richness in s.richness:                     # of every site, occupied or not
            for k, x in enumerate(richness):
                growing = x if production.regrowth_law == "logistic" else 1.0
                richness[k] = x + production.regrowth * growing * (1 - x)


def share(w):
    """Pass 4: send surpluses along the ties; return what each site sent and received of each resource."""
    s, t = w.s, w.t
    flow = [[0.0] * w.params.resources for _ in w.ends]
    sent = [[0.0] * w.params.resources for _ in w.sites]
    for i in w.living:
        ties = [(e, j, w.weight[e] * t.bond[e]) for e, j in occupied(w, w.out[i])]
        for k in w.resources:
            surplus = max(0.0, s.stock[i][k] - s.reserve[i][k]) if s.shared[i] else 0.0
            wanted = [(e, b, max(0.0, s.reserve[j][k] - s.stock[j][k])) for e, j, b in ties if b > 0]
            demand = sum(d for _, _, d in wanted)
            pull = sum(b * d for _, b, d in wanted)
            if pull > 0:
                sent[i][k] = min(surplus, demand)
                for e, b, d in wanted:
                    flow[e][k] = sent[i][k] / pull * b * d
        s.given[i] = sum(sent[i])

    received = [[sum(flow[e][k] for e, _ in w.into[j]) for k in w.resources] for j in w.sites]
    for e, amounts in enumerate(flow):
        trace = w.params.exchange.memory * t.trace[e] + sum(amounts)
        t.trace[e] = trace if trace > 1e-30 else 0.0
        if hasattr(t, "total"):
            t.total[e] = [before + amount for before, amount in zip(t.total[e], amounts, strict=True)]
    return sent, received


def metabolise(w, sent, received):
    """Pass 5: settle the exchange, burn, spoil, and work out welfare."""
    s, goods = w.s, w.goods
    exchange, metabolism, production = w.params.exchange, w.params.metabolism, w.params.production
    spoilage = metabolism.spoilage if isinstance(metabolism.spoilage, tuple) \
        else [metabolism.spoilage for _ in w.resources]
    for i in w.living:
        satisfaction, burned, w.burned[i] = [], 0.0, []
        for k in w.resources:
            need = s.need[i][k]
            x = s.stock[i][k] - sent[i][k] + (1 - exchange.loss) * received[i][k]
            burn = min(x, need)
            spoiled = spoilage[k] * (x - burn)
            s.stock[i][k] = x - burn - spoiled
            goods["lost"][k] += exchange.loss * received[i][k]
            goods["burned"][k] += burn
            goods["spoiled"][k] += spoiled
            burned += burn
            w.burned[i].append(burn)
            if need > 0:
                satisfaction.append(1 - burn / need if k in metabolism.harmful else burn / need)
        welfare = power_mean(satisfaction, metabolism.complementarity) if satisfaction else 1.0
        works = 0 <= s.task[i] < w.params.resources
        costs = exchange.share_cost * s.given[i] + (production.work_cost if works else 0.0)
        s.welfare[i] = welfare - costs
        if w.government and w.government["stating"]:
            s.objective[i] = stated(w, i, costs) if is_a(w, i, "Specified") else s.welfare[i]
        s.consumption[i] = exchange.memory * s.consumption[i] + burned


def stated(w, i, costs):
    """Return what the tick was worth by the objective stated to i."""
    said, need, harm = regime(w, i)
    production = w.params.production
    if said.objective == "output":
        best = production.base_yield * (1 + production.skill_gain)
        return w.made[i] / best if w.s.task[i] == said.good and best > 0 else 0.0
    met = [min(1.0, w.burned[i][k] / need[k]) for k in w.resources if need[k] > 0]
    met = [1 - h if harm[k] else h for k, h in zip([k for k in w.resources if need[k] > 0], met, strict=True)]
    return (power_mean(met, w.params.metabolism.complementarity) if met else 1.0) - costs


def regard(w, i):
    """Return {j: a_ij}, whose welfare i looks at; empty if there is nobody."""
    s, kind = w.s, w.params.care.kind
    if kind == "interdependence":
        weights = {j: w.t.trace[e] for e, j in occupied(w, w.into[i]) if w.t.trace[e] > 0}
    else:
        weights = {j: 1.0 for _, j in occupied(w, w.out[i])
                   if kind == "neighbours" or s.founder[j] == s.founder[i]}
    total = sum(weights.values())
    return {j: x / total for j, x in weights.items()}


def appraise(w):
    """Pass 6: mix own welfare with the welfare of those one cares for."""
    s, care = w.s, w.params.care
    rows = {i: regard(w, i) for i in w.living} if care.kind not in ("self", "whole") else {}

    def others(i, worth):
        """Average over walks of 1 … horizon steps that end elsewhere."""
        reached, terms = {i: 1.0}, []
        for _ in range(care.horizon):
            following = {}
            for j, p in reached.items():
                for end, a in (rows[j] or {j: 1.0}).items():
                    following[end] = following.get(end, 0.0) + p * a
            reached = following
            away = sum(p for j, p in reached.items() if j != i)
            if away > 0:
                terms.append(sum(p * worth[j] for j, p in reached.items() if j != i) / away)
        return mean(terms)

    for i in w.living:
        kappa, theirs = 0.0, 0.0
        specified = is_a(w, i, "Specified")
        worth = s.objective if specified else s.welfare
        if care.kind == "whole" and len(w.living) > 1:
            kappa, theirs = s.care[i], mean(worth[j] for j in w.living)
        elif rows and rows[i]:
            kappa, theirs = s.care[i], others(i, worth)
        if care.kind == "interdependence" and kappa > 0:
            imports = sum(w.t.trace[e] for e, _ in occupied(w, w.into[i]))
            dependence = imports / s.consumption[i] if s.consumption[i] > 0 else math.inf
            kappa *= min(1.0, dependence / care.saturation)
        if specified and not regime(w, i)[0].care:
            kappa = 0.0
        s.appraisal[i] = (1 - kappa) * worth[i] + kappa * theirs


def learn(w, task_slope, share_slope):
    """Pass 7: climb the policy gradient; let bonds follow what the partners gave."""
    s, t, learning, exchange = w.s, w.t, w.params.learning, w.params.exchange
    for i in w.living:
        advantage = s.appraisal[i] - s.baseline[i]
        s.baseline[i] += learning.baseline_rate * advantage
        rate = 0.0 if is_a(w, i, "Frozen") else s.learning_rate[i]
        heads = [(s.share_policy[i], s.share_eligibility[i], share_slope[i], learning.share_bound)]
        heads += [(s.policy[i][m], s.eligibility[i][m], task_slope[i][m], learning.task_bound)
                  for m in range(w.params.tasks)]
        for weights, eligibility, slope, bound in heads:
            for f in range(len(weights)):
                eligibility[f] = learning.trace_decay * eligibility[f] + slope[f]
                moved = weights[f] + rate * advantage * eligibility[f]
                weights[f] = max(-bound, min(bound, moved))
        if is_a(w, i, "Endorsed") and s.obeys[i] >= 0:
            means = s.obeyed if s.obeys[i] else s.unbidden
            means[i] += learning.baseline_rate * (s.appraisal[i] - means[i])

        mutual = [(e, t.trace[w.reverse[e]]) for e, _ in occupied(w, w.out[i]) if w.reverse[e] is not None]
        total = sum(given for _, given in mutual)
        for e, given in mutual:
            goal = len(mutual) * given / total if total > 0 else 1.0
            t.bond[e] = max(exchange.bond_floor, t.bond[e] + exchange.bond_rate * (goal - t.bond[e]))


def reap(w):
    """Pass 8, first half: let vitality follow welfare; let members die and leave their stock."""
    s, t, demography = w.s, w.t, w.params.demography
    dead = []
    for i in w.living:
        s.vitality[i] += demography.vitality_rate * (max(0.0, s.welfare[i]) - s.vitality[i])
        hazard = min(1.0, demography.hazard * (1 + demography.frailty * (1 - s.vitality[i])))
        if happens(w, "death", i, draw(w.seed, s.key[i], w.tick, DEATH)[0], hazard):
            dead.append(i)

    for e, (i, j) in enumerate(w.ends):
        if i in dead or j in dead:
            t.trace[e] = 0.0
            if hasattr(t, "total") and any(t.total[e]):
                w.closed[s.uid[i], s.uid[j]], t.total[e] = t.total[e], [0.0] * w.params.resources
    for i in dead:
        s.ground[i] = [left + x for left, x in zip(s.ground[i], s.stock[i], strict=True)]
        s.stock[i] = [0.0] * w.params.resources
        s.occupied[i], s.welfare[i] = False, 0.0
        s.uid[i] = s.parent_uid[i] = s.founder[i] = -1
        s.regime[i] = 0


def breed(w):
    """Pass 8, second half: refill empty sites with children of the members that are left."""
    s, demography = w.s, w.params.demography
    living = sorted((i for i in w.sites if s.occupied[i]), key=lambda i: w.site_id[i])
    suitors = {}
    for i in w.sites:
        if s.occupied[i]:
            continue
        word0, word1, word2, _ = draw(w.seed, w.site_id[i], w.tick, REFILL)
        if not happens(w, "seek", i, word0, demography.refill):
            continue
        candidates = [j for _, j in occupied(w, w.into[i])]
        if demography.dispersal == "global" and living:
            candidates = [living[draw(w.seed, w.site_id[i], w.tick, CANDIDATE + c)[0] * len(living) >> 32]
                          for c in range(max(1, len(candidates)))]
        if not candidates:
            continue
        weights = [s.vitality[j] ** demography.selection for j in candidates]
        if sum(weights) == 0:
            weights = [1.0 for _ in candidates]
        parent = candidates[pick(w, "parent", i, word1, weights)]
        suitors.setdefault(parent, []).append((word2, -w.site_id[i], i))

    births = [(max(rivals)[2], parent) for parent, rivals in suitors.items()]
    for i, parent in sorted(births, key=lambda birth: w.site_id[birth[0]]):
        bear(w, i, parent)


def bear(w, i, parent):
    """Put a child of ``parent`` on the empty site i."""
    s, params, start = w.s, w.params, w.params.start
    word0, word1, _, _ = draw(w.seed, s.key[parent], s.births[parent], BIRTH)
    key = word0 | word1 << 32
    s.births[parent] += 1
    s.stock[parent] = [x / 2 for x in s.stock[parent]]
    child = {
        "occupied": True, "uid": w.next_uid, "parent_uid": s.uid[parent], "founder": s.founder[parent],
        "key": key, "age": 0, "births": 0, "shared": False, "task": -1, "order_task": -1, "order_share": -1,
        "stock": [x + left for x, left in zip(s.stock[parent], s.ground[i], strict=True)],
        "ground": [0.0] * params.resources, "skill": [start.skill] * params.resources,
        "welfare": start.welfare, "appraisal": start.welfare, "baseline": start.welfare,
        "vitality": start.vitality, "consumption": 0.0, "given": 0.0, "task_counts": [0.0] * params.tasks,
        "policy": start_policy(params, w.seed, key), "share_policy": [0.0] * params.share_features,
        "eligibility": [[0.0] * params.features for _ in range(params.tasks)],
        "share_eligibility": [0.0] * params.share_features,
        "share_feature": [0.0] * (params.share_features - 1), "regime": s.regime[parent]}
    if w.government and w.government["endorsing"]:
        child |= {"obeys": -1, "obeyed": start.welfare, "unbidden": start.welfare}
    if w.government and w.government["stating"]:
        child["objective"] = start.welfare
    w.next_uid += 1
    for name in ("need", *TRAITS, *(["policy", "share_policy"] if params.demography.inherit_policy else [])):
        child[name] = copy.deepcopy(getattr(s, name)[parent])
    for name in params.demography.mutates:
        word0, word1, _, _ = draw(w.seed, key, TRAITS.index(name), MUTATION)
        step = params.demography.mutation_sd * normals(word0, word1)[0]
        if name == "care":
            child[name] = abs((child[name] + step + 1) % 2 - 1)         # reflected at 0 and at 1
        elif name == "reserve":
            child[name] = [min(x * math.exp(min(step, 100)), 1e6) for x in child[name]]
        else:
            child[name] = min(child[name] * math.exp(min(step, 100)), 1e6)
    for name, value in child.items():
        getattr(s, name)[i] = value
    for e, _ in w.out[i] + w.into[i]:
        w.t.bond[e] = 1.0
