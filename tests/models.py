"""Small Mesa models that several tests share."""

from organism import Member, OrganismModel

TURNOVER = {"demography.enabled": True, "demography.hazard": .1, "demography.frailty": 0.,
            "demography.refill": .5}


class Miller(Member):
    """Always works at task 0 and never shares."""

    def step(self):
        self.order_task = 0
        self.order_share = 0


def make(width=6, height=4, rng=1, **kwargs):
    return OrganismModel(width, height, rng=rng, **kwargs)


def in_step(action, site=3, **kwargs):
    """Return a model whose member at ``site`` does ``action(member)`` in its step."""
    class Actor(Member):
        def step(self):
            action(self)

    return make(members={site: Actor}, **kwargs)


def uids(model):
    return model.world.state["uid"][model.world.living].tolist()
