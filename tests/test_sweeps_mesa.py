"""Sweeps of Mesa models, whichever way the Mesa at hand takes its seed."""

import mesa
import pytest
from sweep_cases import quiet

import organism as og


def test_mesa_model():
    found = quiet(og.OrganismModel, params={"width": 5, "height": 5}, vary={"care.weight": [0., .5]}, ticks=3,
                  measure={"members": lambda model: len(model.agents)}, workers=1).frame
    assert found.members.tolist() == [25, 25] and found.tick.tolist() == [3, 3]


