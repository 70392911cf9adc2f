"""Parameters: checks, variants, records."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from organism import Params
from organism.params import GROUPS, Care, range_text


def test_defaults_are_the_organic_preset():
    assert Params() == Params.preset("organic")


@pytest.mark.parametrize("name", Params.presets())
def test_presets_survive_dict_and_json(name):
    params = Params.preset(name)
    assert Params.from_dict(params.to_dict()) == params
    assert Params.from_json(params.to_json()) == params


def test_replace_takes_dotted_names_groups_and_resources_in_any_order():
    params = Params().replace(**{"metabolism.need": [1, 2, 3, 4], "resources": 4, "care": Care(weight=0.1),
                                 "care.kind": "kin"})
    assert params.metabolism.need == (1.0, 2.0, 3.0, 4.0) and params.care == Care(weight=0.1, kind="kin")
    assert params["care.weight"] == 0.1 and params.flat()["resources"] == 4


def test_params_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Params().resources = 4
    with pytest.raises(dataclasses.FrozenInstanceError):
        Params().care.weight = 4


@pytest.mark.parametrize("changes, error, text", [
    ({"care.wight": 1}, ValueError, "no parameter is called 'care.wight'; did you mean 'care.weight'"),
    ({"caer": 1}, ValueError, "no parameter is called 'caer'"),
    ({"care.weight": -0.5}, ValueError, r"care.weight must be in \[0, 1\], not -0.5"),
    ({"care.weight": math.nan}, ValueError, "care.weight must be finite"),
    ({"care.weight": "much"}, TypeError, r"care.weight must be in \[0, 1\], not 'much'"),
    ({"care.weight": True}, TypeError, "care.weight must be a number"),
    ({"care.saturation": 0}, ValueError, r"care.saturation must be in \(0, 1e6\], not 0"),
    ({"care.kind": "slef"}, ValueError, "care.kind must be one of .*; did you mean 'self'"),
    ({"care.horizon": 1.5}, ValueError, "care.horizon must be a whole number"),
    ({"resources": 0}, ValueError, r"resources must be a whole number in \[1, inf\), not 0"),
    ({"resources": 2.5}, ValueError, "resources must be a whole number"),
    ({"metabolism.need": [1, 2]}, ValueError, "metabolism.need has 2 values; it takes one, or one for each of the 3"),
    ({"metabolism.need": [1, -2, 3]}, ValueError, r"metabolism.need\[1\] must be in"),
    ({"metabolism.complementarity": 1.5}, ValueError, r"metabolism.complementarity must be in \[-1e6, 1\]"),
    ({"metabolism.complementarity": "leontif"}, TypeError, "or leontief"),
    ({"metabolism.harmful": (3,)}, ValueError, "indices below resources = 3, not 3"),
    ({"production.rest": 1}, TypeError, "production.rest must be true or false"),
    ({"demography.mutates": ("car",)}, ValueError, "not 'car'; did you mean 'care'"),
    ({"production.base_yield": math.inf}, ValueError, "production.base_yield must be finite"),
])
def test_bad_values_are_refused_in_one_sentence(changes, error, text):
    with pytest.raises(error, match=text) as refused:
        Params().replace(**changes)
    assert "\n" not in str(refused.value)


def test_unknown_presets_suggest_the_nearest():
    with pytest.raises(ValueError, match="no preset is called 'organik'; did you mean 'organic'"):
        Params.preset("organik")
    with pytest.raises(KeyError, match="did you mean 'care.weight'"):
        Params()["care.weihgt"]


def test_the_table_lists_every_parameter_with_its_range():
    rows = list(Params.table())
    assert [row["name"] for row in rows] == Params.names()
    assert all(row["doc"] and row["range"] and row["unit"] for row in rows)


@given(st.data())
def test_every_number_in_range_is_taken_and_none_outside(data):
    group = data.draw(st.sampled_from(sorted(GROUPS)))
    fields = [f for f in dataclasses.fields(GROUPS[group]) if f.type in ("float", "float | str")]
    if not fields:
        return
    field = data.draw(st.sampled_from(fields))
    low, high = field.metadata["low"], field.metadata["high"]
    value = data.draw(st.floats(-10, 10))
    inside = ((low is None or value > low or (value == low and not field.metadata["open_low"]))
              and (high is None or value <= high))
    name = f"{group}.{field.name}"
    if inside:
        assert Params().replace(**{name: value})[name] == value
    else:
        with pytest.raises(ValueError, match="must be in") as refused:
            Params().replace(**{name: value})
        assert range_text(field.metadata) in str(refused.value)
