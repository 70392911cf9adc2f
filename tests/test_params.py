"""Parameters: checks, variants, records."""

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from organism import Params
from organism.params import CARE_KINDS, GROUPS, Care, range_text


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
    ({"resources": 0}, ValueError, r"resources must be a whole number in \[1, 1000\], not 0"),
    ({"resources": 2.5}, ValueError, "resources must be a whole number"),
    ({"metabolism.need": [1, 2]}, ValueError, "metabolism.need has 2 values; it takes one, or one for each of the 3"),
    ({"metabolism.need": [1, -2, 3]}, ValueError, r"metabolism.need\[1\] must be in"),
    ({"metabolism.complementarity": 1.5}, ValueError, r"metabolism.complementarity must be in \[-1e6, 1\]"),
    ({"metabolism.complementarity": "leontif"}, TypeError, "or leontief, not 'leontif'; did you mean 'leontief'"),
    ({"metabolism.harmful": (-1,)}, ValueError, r"harmful must hold indices in 0, ..., resources - 1, or none, not -1"),
    ({"metabolism.harmful": (.5,)}, ValueError, "metabolism.harmful must hold indices"),
    ({"metabolism.harmful": (math.nan,)}, ValueError, "metabolism.harmful must hold indices"),
    ({"metabolism.harmful": "two"}, TypeError, "metabolism.harmful must hold indices"),
    ({"metabolism.harmful": (True,)}, TypeError, "metabolism.harmful must hold indices"),
    ({"metabolism.harmful": True}, TypeError, "metabolism.harmful must hold indices"),
    ({"metabolism.harmful": ("a",)}, TypeError, "metabolism.harmful must hold indices"),
    ({"care.kind": "KIN"}, ValueError, "did you mean 'kin'"),
    ({"care.kind": ["kin"]}, ValueError, "care.kind must be one of"),
    ({"care.kind": np.array(["kin", "self"])}, ValueError, "care.kind must be one of"),
    ({"care.weight": np.True_}, TypeError, "care.weight must be a number"),
    ({"care.weight": np.float32(2)}, ValueError, r"care.weight must be in \[0, 1\], not 2.0"),
    ({"production.rest": np.int64(1)}, TypeError, "production.rest must be true or false"),
    ({"production.regrowth_law": "logistics"}, ValueError, "did you mean 'logistic'"),
    ({"demography.dispersal": "globel"}, ValueError, "did you mean 'global'"),
    ({"demography.mutates": ("learning-rate",)}, ValueError, "not 'learning-rate'; did you mean 'learning_rate'"),
    ({"demography.mutates": "care,capabilty"}, ValueError, "not 'capabilty'; did you mean 'capability'"),
    ({"demography.mutates": (1,)}, ValueError, "demography.mutates must hold names from care"),
    ({"demography.mutates": ("care", "care")}, ValueError, "must not repeat a name, as in care,care"),
    ({"resources": np.True_}, ValueError, "resources must be a whole number"),
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


def test_numpy_scalars_are_taken_where_python_ones_are():
    params = Params().replace(**{
        "resources": np.int32(2), "production.rest": np.True_, "care.weight": np.float32(.5),
        "care.horizon": np.int64(2), "start.skill": np.float64(.25), "learning.perception": np.array(1),
        "metabolism.need": np.array([1, 2]), "metabolism.harmful": np.array([1, 0]), "care.kind": np.str_("kin")})
    assert params == Params().replace(**{
        "resources": 2, "production.rest": True, "care.weight": .5, "care.horizon": 2, "start.skill": .25,
        "learning.perception": 1, "metabolism.need": (1, 2), "metabolism.harmful": (0, 1), "care.kind": "kin"})
    assert params.production.rest is True and type(params.resources) is type(params.care.horizon) is int
    assert Params.from_json(params.to_json()) == params
    assert Params().replace(**{"metabolism.harmful": np.int64(2)}).metabolism.harmful == (2,)


@pytest.mark.parametrize("text, error, said", [
    ("[1]", TypeError, r"parameters must be a mapping of names to values, not \[1\]"),
    ("3", TypeError, "parameters must be a mapping"), ("null", TypeError, "parameters must be a mapping"),
    ("{", ValueError, "parameters must be JSON text"), ("", ValueError, "parameters must be JSON text"),
    ('{"care": {"wieght": 1}}', ValueError, "did you mean 'care.weight'"),
    ('{"care": [1]}', TypeError, "care must be a Care"),
])
def test_bad_json_is_refused_in_one_sentence(text, error, said):
    with pytest.raises(error, match=said) as refused:
        Params.from_json(text)
    assert "\n" not in str(refused.value)


def test_every_source_is_in_the_model_document():
    model = (Path(__file__).parent.parent / "MODEL.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^##+ (\d(?:\.\d+)?) .*\n((?:(?!##).*\n)*)", model, re.MULTILINE))
    keys = set(re.findall(r"\*\*\[(\w+)\]\*\*", model.partition("## Bibliography")[2]))
    assert len(sections) == 32 and "Arrow1961" in keys
    for row in Params.table():
        source = re.fullmatch(r"MODEL\.md ([\d.]+)((?:, \w+)*)", row["source"])
        assert source, row
        section, cited = source[1], source[2].split(", ")[1:]
        assert section in sections and keys.issuperset(cited), row
        assert all(f"(#{key})" in sections[section] for key in cited), row


def test_the_table_says_what_a_value_may_be():
    rows = {row["name"]: row for row in Params.table()}
    assert rows["metabolism.harmful"]["range"] == "indices in 0, ..., resources - 1, or none"
    for name in ("production.task_memory", "exchange.memory", "learning.trace_decay"):
        assert rows[name]["unit"] == "1" and "kept a tick" in rows[name]["doc"]
    assert all(f"{kind}, " in rows["care.kind"]["doc"] for kind in CARE_KINDS)


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
