"""The web page without a browser: it renders, follows its model, survives a model that raises, and gives data away."""

import importlib.util
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import mesa  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402
from mesa.discrete_space import OrthogonalMooreGrid  # noqa: E402

from organism import Field, OrganismModel, Params, Topology, World, claims  # noqa: E402
from organism.__main__ import main  # noqa: E402
from organism._commands import app as command  # noqa: E402
from organism._paint import EMPTY, FIRST  # noqa: E402
from organism.view._fields import FieldSubject, Layer, read_layers  # noqa: E402

MISSING = [name for name in command.NEEDED if importlib.util.find_spec(name) is None]
needs_solara = pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} not installed: pip install "
                                                        '"organism-abm[app]"')
pytestmark = pytest.mark.filterwarnings("ignore")      # of Solara, Mesa's page and their widgets

EXAMPLES = Path(__file__).parents[1] / "examples"


class Host(mesa.Model):
    """Anybody's model: a layer, kinds by node, and a step that may raise."""

    def __init__(self, bad=0, rng=1):
        super().__init__(rng=rng)
        self.bad, self.taken = bad, 0
        self.grid = OrthogonalMooreGrid((5, 3), torus=True, random=self.random)
        self.sugar = Field.attach(self.grid, "sugar", default=0.)
        self.topology = Topology.grid((4,))
        self.kinds = np.array([0, 1, 2, -1])

    def step(self):
        self.taken += 1
        self.sugar.array[self.taken % 5, 2] = 1.
        if self.taken == self.bad:
            raise ValueError("rate must be in [0, 1], not 7")


# -- fields of anybody's model -----------------------------------------------------------------------


def test_layers_lie_as_mesa_has_them():
    host = Host()
    host.sugar.array[:] = np.arange(15).reshape(5, 3)
    subject = FieldSubject(host, read_layers({"sugar": Layer("sugar", 0, 14)}))
    codes = subject.paint("sugar").codes
    assert codes.shape == (3, 5) and codes[2, 0] == FIRST and codes[0, 4] == 255       # (0, 0) is below, at the left
    site = subject.site_at(0.9, 0.1)
    assert subject.detail(site)["title"] == "(4, 2)" and subject.detail(site)["rows"] == [["sugar", "14"]]
    assert subject.uid_at(site) is None and subject.tick == 0 and subject.text() == "step 0"


def test_kinds_on_a_topology():
    host = Host()
    layer = Layer("kinds", categories=["a", "b", "c"], colours=["red", "#00ff00", "black"])
    subject = FieldSubject(host, {"kinds": layer}, "topology", lambda model: "all well")
    painting = subject.paint("kinds")
    assert painting.codes.ravel().tolist() == [FIRST, FIRST + 1, FIRST + 2, EMPTY]
    assert painting.palette[FIRST + 1, :3].tolist() == [0, 255, 0]
    assert painting.legend["marks"][0] == ["a", "#ff0000"] and subject.text() == "step 0 · all well"
    assert [subject.detail(site)["rows"][0][1] for site in range(4)] == ["a", "b", "c", "none"]
    host.kinds = np.zeros(3)
    with pytest.raises(ValueError, match="field 'kinds' must have a value for each of the 4 sites"):
        subject.paint("kinds")


@pytest.mark.parametrize("topology", ["topology", lambda model: model.topology, Topology.grid((4,))],
                         ids=["attribute", "function", "itself"])
def test_where_sites_are_can_be_said_in_three_ways(topology):
    assert FieldSubject(Host(), read_layers({"kinds": "kinds"}), topology).n_sites == 4


def test_colours_are_told_apart_by_default():
    layer = Layer("kinds", categories=["a", "b"])
    assert layer.colours == ("#0072B2", "#E69F00") and all(map(to_rgb, layer.colours))


@pytest.mark.parametrize(("make", "says"), [
    (lambda: Layer(3), "values must be an attribute's name or a function"),
    (lambda: Layer("a", 2, 1), "low must be below high = 1, not 2"),
    (lambda: Layer("a", cmap="viridos"), "cmap must be a colormap"),
    (lambda: Layer("a", colours=["red"]), "colours are those of categories"),
    (lambda: Layer("a", categories="ab"), "categories must be"),
    (lambda: Layer("a", categories=["a", "b"], colours=["red"]), "colours must be 2 colours"),
    (lambda: Layer("a", categories=[str(k) for k in range(9)]), "colours must be given for more than 8"),
    (lambda: read_layers({}), "fields must map names"),
    (lambda: FieldSubject(Host(), read_layers({"kinds": "kinds"})), "topology must be given"),
    (lambda: FieldSubject(Host(), read_layers({"kinds": "kinds"}), "kinds"), "topology must be a Topology"),
])
def test_what_cannot_be_shown(make, says):
    with pytest.raises((TypeError, ValueError), match=says):
        make()


# -- components ------------------------------------------------------------------------------------


@contextmanager
def shown(element):
    """Render an element; give the widget of our view, all texts, and the buttons by their names."""
    import ipyvuetify
    import solara.autorouting
    from ipywidgets.widgets.widget import _instances as there

    from organism.view._widget import field_view

    before = set(there)
    page = solara.autorouting.RoutingProvider(children=[solara.AppLayout(children=[element])],
                                              routes=[solara.Route("/")], pathname="/")
    _, context = solara.render(page, handle_error=False)

    def new(kind):
        return [widget for key, widget in list(there.items()) if key not in before and isinstance(widget, kind)]

    def view():
        one, = new(field_view())
        return one

    def click(name):
        next(one for one in new(ipyvuetify.Btn) if one.children == [name]).click()

    def texts():
        return [child for one in new((ipyvuetify.Html, ipyvuetify.Alert)) for child in one.children
                if isinstance(child, str)]
    try:
        yield SimpleNamespace(view=view, click=click, texts=texts)
    finally:
        context.close()


def viz(model, component, **params):
    from mesa.visualization import SolaraViz

    return SolaraViz(model, components=[component], model_params=params)


@needs_solara
def test_a_step_shows_in_the_one_widget():
    from organism.app import make_view_component

    model = OrganismModel(8, 6, rng=1)
    with shown(viz(model, make_view_component(), width=8, height=6, rng=1)) as page:
        widget = page.view()
        assert widget.frame["tick"] == 0 and not widget.controls
        page.click("Step")
        assert page.view() is widget and widget.frame["tick"] == model.world.tick == 1
        codes = widget.frame["paintings"][0].codes
        assert np.array_equal(codes, FIRST + model.world.state["task"].reshape(6, 8))


@needs_solara
def test_reset_takes_up_the_new_world_and_sliders_move_it():
    from organism.app import make_view_component

    model = OrganismModel(8, 8, rng=1)
    with shown(viz(model, make_view_component("welfare"), width=4, height=4, rng=2)) as page:
        widget = page.view()
        page.click("Step")
        page.click("Reset")
        assert page.view() is widget and widget.frame["tick"] == 0 and widget.field == "welfare"
        assert widget.frame["paintings"][0].codes.shape == (4, 4)
        widget.values = {"care.weight": 0.25}
        page.click("Step")
        assert widget.frame["tick"] == 1 and model.tick == 1
        world = widget.world
        assert "care.weight = 0.25" in str(world.history) and world.params["care.weight"] == 0.25


@needs_solara
@pytest.mark.parametrize("how", ["Step", "▶"])
def test_a_model_that_raises_says_why_and_stops(how):
    from organism.app import make_field_component

    model = Host(bad=2)
    with shown(viz(model, make_field_component({"sugar": "sugar"}), bad=0, rng=1)) as page:
        page.click("Step")
        if how == "Step":
            page.click(how)
        else:
            page.click(how)
            wait(lambda: not model.running)
        wait(lambda: page.view().message)
        assert page.view().message == "ValueError: rate must be in [0, 1], not 7" and not model.running
        taken = model.taken
        time.sleep(0.3)
        assert model.taken == taken == 2
        page.click("Reset")
        assert page.view().message == ""
        page.click("Step")
        assert page.view().frame["tick"] == 1


@needs_solara
def test_playing_ends_with_the_page():
    from organism.app import make_field_component

    model = Host()
    with shown(viz(model, make_field_component({"sugar": "sugar"}), rng=1)) as page:
        page.click("▶")
        wait(lambda: model.taken > 2)
    wait(lambda: not model.running)
    time.sleep(0.3)
    taken = model.taken
    time.sleep(0.5)
    assert model.taken == taken


@needs_solara
def test_reading_waits_for_the_step_of_another_thread():
    from organism.app._live import Guard

    model = OrganismModel(16, 16, rng=1)
    guard, torn = Guard.of(model), []
    assert Guard.of(model) is guard

    def look():
        while thread.is_alive():
            with guard.lock:
                torn.append(model.world.tick != model.datacollector.model_vars["tick"][-1])
    thread = threading.Thread(target=lambda: [model.step() for _ in range(200)])
    thread.start()
    look()
    thread.join()
    assert model.tick == 200 and torn and not any(torn)


@needs_solara
def test_what_a_component_refuses():
    from organism.app import make_field_component, make_view_component

    with pytest.raises(ValueError, match="series must be names"):
        make_view_component(series=["welfair"])
    with pytest.raises(TypeError, match="fields must map"):
        make_field_component([])
    for component, model, told in (
            (make_view_component(), Host(), "make_view_component shows an OrganismModel, not Host"),
            (make_view_component("wellfare"), OrganismModel(4, 4, rng=1), "did you mean 'welfare'?"),
            (make_view_component(sliders="care.kind"), OrganismModel(4, 4, rng=1), "care.kind cannot have a slider"),
            (make_field_component({"a": lambda model: 1 / 0}), Host(), "division by zero")):
        with shown(viz(model, component, rng=1)) as page:
            assert any(told in text for text in page.texts()), page.texts()


def wait(until, seconds=10.0):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


# -- the page ----------------------------------------------------------------------------------------


@needs_solara
@pytest.mark.parametrize("preset", Params.presets())
def test_every_preset_has_its_sliders(preset):
    from organism.app._page import PageModel, parameters

    chosen = {name: one.value if hasattr(one, "value") else one["value"] for name, one in parameters(preset).items()}
    model = PageModel(preset, size=4, **chosen)
    assert model.world.params == Params.preset(preset) and model.world.seed == 1


@needs_solara
def test_every_topology_is_shown():
    from organism.app._page import TOPOLOGIES, Run

    for topology in TOPOLOGIES:
        with shown(Run("organic", topology, 8)) as page:
            page.click("Step")
            assert page.view().frame["tick"] == 1, topology
            page.click("Reset")
            assert page.view().frame["tick"] == 0


@needs_solara
def test_a_page_model_refuses_what_is_not_on_the_page():
    from organism.app._page import PageModel

    with pytest.raises(ValueError, match="did you mean 'torus'"):
        PageModel(topology="tours")


@needs_solara
def test_what_is_taken_home_can_be_read(tmp_path):
    import pandas as pd
    from PIL import Image

    from organism.app._downloads import DOWNLOADS, PICTURES, picture_png
    from organism.app._page import PageModel

    model = PageModel(size=6)
    for _ in range(3):
        model.step()
    series, members, world = (make(model) for _, make in DOWNLOADS.values())
    frame = pd.read_csv(io.StringIO(series))
    assert frame["tick"].tolist() == [0, 1, 2, 3] and {"welfare", "members"} <= set(frame)
    frame = pd.read_csv(io.StringIO(members))
    assert len(frame) == 36 and np.allclose(frame["welfare"], model.world.state["welfare"], rtol=1e-6)
    (tmp_path / "world.npz").write_bytes(world)
    again = World.load(tmp_path / "world.npz")
    assert again.tick == 3 and np.array_equal(again.state["stock"], model.world.state["stock"])
    for name in PICTURES:
        assert Image.open(io.BytesIO(picture_png(model, name))).size[0] > 500
    assert model.tick == 3


@needs_solara
@pytest.mark.parametrize("name", claims.names())
def test_every_claim_card_is_shown(name):
    from organism.app._claims import Card, read

    result, figure = read(name)
    assert read(name)[1] is figure                                      # nothing twice
    with shown(Card(result, figure)) as page:
        assert {result.answer().replace("**", ""), f"Verdict: {result.verdict}"} <= set(page.texts())


@needs_solara
def test_pages_have_names():
    from organism.app import routes

    assert [route.label for route in routes] == ["Model", "Claim cards"]
    assert [route.path for route in routes] == ["/", "claims"]


# -- the command -------------------------------------------------------------------------------------


def refusal(words, capsys) -> str:
    assert main(words) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(("words", "says"), [
    (["nowhere.py"], "FILE must be a Python file or a notebook that is there, not 'nowhere.py'"),
    (["--preset", "selfisch"], "did you mean 'selfish'?"),
    (["--port", "0"], "--port: must be a whole number in [1, 65535], not '0'"),
])
def test_a_mistake_is_told_in_a_sentence(words, says, capsys):
    told = refusal(["app", "--no-open", *words], capsys)
    assert says in told and told.count("\n") == 1


def test_a_file_has_no_preset(tmp_path, capsys):
    (tmp_path / "app.py").touch()
    assert "--preset is for organism's own page" in refusal(["app", str(tmp_path / "app.py"), "--preset", "selfish"],
                                                            capsys)


def test_missing_libraries_are_named(monkeypatch, capsys):
    monkeypatch.setattr(command, "NEEDED", ("solara", "no_such_library"))
    assert 'pip install "organism-abm[app]"' in refusal(["app", "--no-open"], capsys)


@needs_solara
def test_a_port_that_is_taken(capsys):
    with socket.create_server(("localhost", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = refusal(["app", "--no-open", "--port", port], capsys)
    assert f"port {port} of localhost cannot be had" in told and "--port" in told


@needs_solara
@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is a signal")
@pytest.mark.parametrize("file", [None, EXAMPLES / "contagion" / "app.py"], ids=["own", "file"])
def test_the_page_is_served_and_ends_cleanly(file, tmp_path):
    if file is not None and not file.exists():
        pytest.skip("the examples are not installed with the package")
    with socket.create_server(("localhost", 0)) as one:
        port = one.getsockname()[1]
    words = [sys.executable, "-m", "organism", "app", "--no-open", "--port", str(port), *([str(file)] if file else [])]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait(lambda: process.poll() is not None or answers(port), 60)
        assert process.poll() is None, process.stderr.read()
        page = urllib.request.urlopen(f"http://localhost:{port}/", timeout=30).read().decode()
        assert "solara" in page and "jsdelivr" not in page and "https://unpkg" not in page
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0 and "the page is closed" in out and "Traceback" not in err, err


def answers(port) -> bool:
    try:
        return json.loads(urllib.request.urlopen(f"http://localhost:{port}/readyz", timeout=5).read()) is not None
    except (OSError, ValueError):
        return False
