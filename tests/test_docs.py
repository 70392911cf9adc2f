"""The documentation is true: parameters match signatures, examples and README blocks run."""

import dataclasses
import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import re
import shlex
import warnings
from pathlib import Path

import pytest

import organism
from organism.__main__ import _parser, main

README = Path(__file__).parents[1] / "README.md"
#: Modules without a public Python face of their own; some processors cannot run all of them.
SKIPPED = {f"organism.{name}{level}" for name in ("_core", "_games", "_neighbours") for level in ("", "_v3", "_v4")}
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def modules():
    names = [info.name for info in pkgutil.walk_packages(organism.__path__, "organism.", onerror=lambda name: None)]
    if any(importlib.util.find_spec(name) is None for name in ("solara", "altair", "ipyvuetify")):
        names = [name for name in names if not name.startswith("organism.app")]     # which then says what it needs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")       # Solara's, of Mesa's own components
        return [organism] + [importlib.import_module(name) for name in sorted(names) if name not in SKIPPED]


def public_objects():
    """Yield the qualified name and object of every public class, function and method."""
    for module in modules():
        if re.search(r"\._[a-z]", module.__name__):
            continue
        for name in getattr(module, "__all__", ()):
            thing = inspect.getattr_static(module, name, None)
            home = re.sub(r"\._[a-z].*", "", getattr(thing, "__module__", None) or "")  # a package's private module
            if home != module.__name__:
                continue
            yield f"{module.__name__}.{name}", thing
            if inspect.isclass(thing):
                own = [base for base in thing.__mro__ if base.__module__.partition(".")[0] == "organism"]
                for attribute, value in [pair for base in own for pair in vars(base).items()]:
                    function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
                    if not attribute.startswith("_") and inspect.isfunction(function):
                        yield f"{module.__name__}.{name}.{attribute}", function


PUBLIC = dict(public_objects())


def accepted(thing) -> list[str]:
    """Names of the arguments a caller gives, stars included."""
    if inspect.isclass(thing):
        if dataclasses.is_dataclass(thing) and "__init__" in vars(thing):
            return [f.name for f in dataclasses.fields(thing) if f.init]
        thing = vars(thing).get("__init__")
        if not inspect.isfunction(thing):
            return []
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [stars.get(p.kind, "") + p.name for p in inspect.signature(thing).parameters.values()
            if p.name not in ("self", "cls")]


def documented(doc: str, *headings: str) -> list[str] | None:
    """Names listed under a numpydoc heading such as *Parameters*; None without the heading."""
    lines = [*inspect.cleandoc(doc).splitlines(), ""]
    ruled = [bool(re.fullmatch("-{4,}", line)) for line in lines[1:]] + [False]
    start = next((i + 2 for i, line in enumerate(lines) if ruled[i] and line in headings), None)
    if start is None:
        return None
    names = []
    for i in range(start, len(lines)):
        if ruled[i]:
            break
        if lines[i] and not lines[i][0].isspace():
            names += [name.strip().replace("\\*", "*") for name in lines[i].split(" : ")[0].split(",")]
    return names


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_docstring(name):
    """A list of arguments is complete; a docstring without one mentions them, if there are several."""
    thing = PUBLIC[name]
    doc = vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
    assert doc, f"{name} has no docstring"
    summary = inspect.cleandoc(doc).splitlines()[0]
    assert summary.endswith((".", "?", "!")), f"{name}: the summary is not one sentence on one line"
    record = dataclasses.is_dataclass(thing)
    if record and all(field.metadata.get("doc") for field in dataclasses.fields(thing)):
        return  # parameters that document themselves
    names = documented(doc, "Parameters", *(["Attributes"] if record else []))
    takes = accepted(thing)
    if names is None and len(takes) > 1:
        silent = [argument for argument in takes if not re.search(rf"\b{argument.strip('*')}\b", doc)]
        assert not silent, f"{name} says nothing of {silent}"
    elif record and names is not None:  # a record may list its properties too
        assert set(takes) <= set(names), f"{name} documents {names} but holds {takes}"
    elif names is not None:
        assert sorted(names) == sorted(takes), f"{name} documents {names} but takes {takes}"


def test_all_is_sorted_and_public():
    for module in modules():
        names = list(getattr(module, "__all__", ()))
        assert len(names) == len(set(names)), module.__name__
        if module is not organism:
            assert not [name for name in names if name.startswith("_")], module.__name__


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_docstring_examples(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testmod(module, optionflags=OPTIONS)
    assert not failed


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)


def test_readme_python(tmp_path, monkeypatch):
    import matplotlib

    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "readme"}
    assert blocks("python")
    for block in blocks("python"):
        exec(compile(block, str(README), "exec"), names)


def commands() -> list[list[str]]:
    """The ``organism …`` commands of the README's shell blocks, set-up lines left out."""
    found = []
    for block in blocks("bash"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0].endswith("organism"):
                found.append(words[1:])
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_readme_commands(words, tmp_path, monkeypatch, capsys):
    """Each command runs; paths into the environment are looked up in this one."""
    monkeypatch.chdir(tmp_path)
    import mesa

    site = Path(mesa.__file__).parents[1]
    words = [str(site / word.partition("site-packages/")[2]) if "site-packages/" in word else word
             for word in words]
    if words[0] == "sweep":
        words = [str(README.parent / word) if word.startswith("examples/") else word for word in words]
    if words[0] == "app":                     # would serve for ever; tests/test_app.py serves
        options = _parser().parse_args(words)
        assert options.file is None or (README.parent / options.file).exists()
        return
    if words[0] == "run":
        words += ["--ticks", "30", "--quiet"]
        if "--snapshots" in words:
            words[words.index("--snapshots") + 1] = "10"
        if not {"--graph", "--supply", "--size"} & set(words):
            words += ["--size", "12"]
    assert main(words) == 0


def test_readme_is_the_project_s_face():
    text = README.read_text(encoding="utf-8")
    assert ".venv/bin/organism run" in text and ".venv/bin/python -m pytest" in text
    for target in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (README.parent / target).exists(), f"README links to {target}, which is not there"
