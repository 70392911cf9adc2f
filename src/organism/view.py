"""A world to watch and to play with in a notebook: :func:`view`.

What is played is a *twin*: a fork with the same seed, so the same luck. The world that
was given stays as it is, whatever is clicked, and may be stepped or measured meanwhile.
Looking changes nothing; only the slider does, in the twin, whose history says when.

A thread of its own steps the twin, so other cells run on; one lock guards it, so it is
only ever read between two ticks. Colours travel as one byte a site beside a palette of
256 colours, and the page's script, below, fetches nothing.
"""

from __future__ import annotations

import functools
import io
import math
import numbers
import threading
import time

import numpy as np

from . import measures
from ._checks import closest
from .intervene import Intervention
from .params import GROUPS, Params
from .state import COLUMNS
from .world import World

__all__ = ["view"]

#: Seconds between two frames, and of stepping before the next look at the buttons.
FRAME, PATIENCE = 1 / 30, 0.1
#: Colour codes of an empty site and of a member that never acted; a field's own follow.
EMPTY, IDLE, FIRST = 0, 1, 2


def view(world, field="task", slider="care.weight"):
    """Show a world live in a notebook: play, pause, step, reset, speed, and one parameter.

    What is played is a fork: the world itself is not changed, and its jobs and recordings
    stay with it.

    Parameters
    ----------
    world : World
    field : str, default "task"
        What the colours show: ``task`` (of the last tick), ``dominant_task`` (the task done most; the
        paler, the less one-sidedly), ``welfare`` or any column of the state; of one with a
        second axis a part, such as ``stock 0``.
    slider : str or None, default "care.weight"
        A parameter to change while the world runs.

    Returns
    -------
    FieldView or matplotlib Axes
        An anywidget with the traits ``playing``, ``speed`` (ticks a second), ``field`` and
        ``value`` (of the slider), the methods ``step``, ``reset`` and ``close``, and
        ``world``: a copy of what is shown, whose ``history`` tells how the slider was
        moved; assign another world to show that one. Without anywidget a still picture.

    Raises
    ------
    TypeError, ValueError
        If the world is none, or a name is unknown or not for a slider.

    Examples
    --------
    >>> import organism as og
    >>> world = og.World(og.Topology.grid((16, 16)), rng=1)
    >>> shown = og.view(world, field="welfare")         # doctest: +SKIP
    """
    _check(world, field)
    _slider(world, slider)
    widget = _widget()
    return _still(world, field) if widget is None else widget(world, field, slider)


def _check(world, field):
    if not isinstance(world, World):
        raise TypeError(f"world must be a World, not {type(world).__name__}")
    if field not in _fields(world):
        raise ValueError(f"field must be 'task', 'dominant_task' or a column of the state, not {field!r}"
                         + closest(field, _fields(world)))


def _slider(world, name) -> dict | None:
    """Return name, range, step and meaning of a parameter that a slider can move."""
    if name is None:
        return None
    if name not in Params.names():
        raise ValueError(f"no parameter is called {name!r}" + closest(name, Params.names()))
    group, _, part = name.partition(".")
    value = world.params[name]
    if not part or isinstance(value, bool) or not isinstance(value, numbers.Real):
        why = f"it is {value!r}, not one number" if part else "it cannot change in a running world"
        raise ValueError(f"{name} cannot have a slider: {why}")
    about = GROUPS[group].__dataclass_fields__[part]
    low, high, whole = about.metadata["low"], about.metadata["high"], about.type == "int"
    if high in (None, math.inf):
        high = 5 * max(value, about.default, 1 if whole else 0.2)
    if low is None or about.metadata["open_low"]:
        low = min(value, -high if low is None else high / 100)
    return {"name": name, "low": low, "high": high, "step": 1 if whole else (high - low) / 100,
            "doc": about.metadata["doc"]}


# -- colours --------------------------------------------------------------------------


def _fields(world) -> dict[str, tuple[str, int | None]]:
    """Return what can be shown: its name, and the column and part of it that it is."""
    found: dict[str, tuple[str, int | None]] = {name: (name, None) for name in ("task", "dominant_task", "welfare")}
    for name, column in COLUMNS.items():
        axes = world.state.trailing(name)
        if column.unit not in ("id", "bits") and len(axes) < 2:
            found |= {f"{name} {k}": (name, k) for k in range(axes[0])} if axes else {name: (name, None)}
    return found


def _tasks(world, field):
    """Colour members as :func:`plots.role_map` does; return codes, colours from IDLE on and a legend."""
    from matplotlib.colors import to_hex, to_rgb

    from .plots import EMPTY as WHITE
    from .plots import IDLE as GREY
    from .plots import task_colours

    living, hues = world.living, task_colours(world)[:256 - FIRST]
    levels, shade, task = 1, 0, np.array(world.state["task"][living], int)
    if field == "dominant_task":
        levels, task = min(16, (256 - FIRST) // len(hues)), measures.dominant_task(world)
        shade = np.rint(measures.specialisation(world, each=True) * (levels - 1)).astype(int)
    depth = 0.25 + 0.75 * np.sqrt(np.arange(levels) / (levels - 1) if levels > 1 else np.ones(1))
    colours = 1 - depth[:, None] * (1 - hues[:, None, :])
    codes = np.full(world.n_sites, EMPTY, np.uint8)
    codes[living] = np.where(task < 0, IDLE, FIRST + task % len(hues) * levels + shade)
    names = ([f"makes resource {k}" for k in range(world.params.resources)] + ["rests"])[:len(hues)]
    marks = [[name, to_hex(hue)] for name, hue in zip(names, hues, strict=True)][:12]
    marks += [["no act yet", GREY]] * bool((task < 0).any())
    marks += [["empty", WHITE]] * (len(living) < world.n_sites)
    label = "task in the last tick" if field == "task" else "task done most (paler: less one-sidedly)"
    return codes, [to_rgb(GREY), *colours.reshape(-1, 3)], {"label": label, "marks": marks}


def _values(world, field, span: list):
    """Colour a column over its bounds or, if it lacks one, over the ``span`` of values seen so far."""
    from matplotlib import colormaps

    name, k = _fields(world)[field]
    column, values = COLUMNS[name], np.array(world.state[name], float)
    values = values if k is None else values[:, k]
    unit = "" if column.unit in ("1", "bool", "flag", "index") else f" ({column.unit})"
    shown = np.ones(world.n_sites, bool) if column.owner == "site" else world.state["occupied"]
    low, high = column.low, column.high
    if name == "welfare":
        low, unit = 0, " (share of need met)"
    elif low is None or high is None:
        seen = np.append(values[shown], span)
        span[:] = low, high = (seen.min(), seen.max()) if seen.size else (0, 0)
    share = np.clip((values - low) / (high - low), 0, 1) if high > low else np.full(len(values), 0.5)
    codes = np.where(shown, FIRST + np.rint(share * (255 - FIRST)), EMPTY).astype(np.uint8)
    colours = colormaps["cividis" if name == "welfare" else "viridis"](np.linspace(0, 1, 256 - FIRST))
    legend = {"label": field.replace("_", " ") + unit, "low": _brief(low), "high": _brief(high)}
    return codes, [(1, 1, 1), *colours[:, :3]], legend


def _brief(value) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _frame(world, field, span) -> dict:
    """Return the picture as the page takes it; the world is only read."""
    painted = _tasks(world, field) if field in ("task", "dominant_task") else _values(world, field, span)
    codes, colours, legend = painted
    palette = np.full((256, 4), 255, np.uint8)
    palette[IDLE:IDLE + len(colours), :3] = np.rint(255 * np.array(colours))
    if _cells(world.topology):
        cells = np.full((1, *world.topology.shape)[-2:], EMPTY, np.uint8)
        cells[tuple(world.topology.cells.T)] = codes
        codes = cells
    text = (f"tick {world.tick:,} · {world.n_members:,} member{'s' * (world.n_members != 1)} · "
            f"mean welfare {measures.welfare(world):.2f}")
    return {"codes": codes.tobytes(), "palette": palette.tobytes(), "legend": legend, "tick": world.tick,
            "text": text}


def _cells(topology) -> bool:
    """Tell whether sites are drawn as square cells, not as dots."""
    return topology.kind == "grid" and topology.neighbourhood != "hexagonal"


def _scene(topology) -> dict:
    """Return where sites are drawn: rows and columns, or places in the unit square and links."""
    if _cells(topology):
        rows, columns = (1, *topology.shape)[-2:]
        return {"rows": rows, "columns": columns}
    from .plots import layout

    places, ties = np.array(layout(topology), float), np.stack([topology.source, topology.target], axis=1)
    if topology.kind == "grid" or len(ties) > 20_000:       # more would only be grey
        ties = ties[:0]
    if topology.kind != "grid":
        places[:, 1] *= -1                                  # a page counts downwards
    extent = np.ptp(places, axis=0)
    places = 0.5 + 0.92 * (places - places.min(axis=0) - extent / 2) / max(extent.max(), 1e-9)
    return {"places": places.astype("<f4").tobytes(), "links": ties.astype("<u4").tobytes()}


def _still(world, field):
    """Return Axes with a picture of a world; tasks are shown as roles."""
    from . import plots

    name, k = _fields(world)[field]
    if name in ("task", "dominant_task"):
        return plots.role_map(world, title=f"roles, tick {world.tick:,}")
    title = f"{field.replace('_', ' ')}, tick {world.tick:,}"
    if name == "welfare":
        return plots.welfare_map(world, title=title)
    return plots.field_map(world, name, resource=k, title=title)


# -- the widget -----------------------------------------------------------------------


@functools.cache
def _widget():
    """Return the widget's class, made when it is first needed; None where anywidget is absent."""
    try:
        import anywidget
        import traitlets as t
    except ImportError:
        return None

    class FieldView(anywidget.AnyWidget):
        """A twin of a world, played in the background: see :func:`view`."""

        _esm, _css = SCRIPT, LOOKS
        playing = t.Bool(False).tag(sync=True)
        speed = t.Float(100.0, min=1.0, max=1000.0).tag(sync=True)
        field = t.Unicode().tag(sync=True)
        value = t.Float().tag(sync=True)
        slider = t.Dict(None, allow_none=True).tag(sync=True)
        fields = t.List(t.Unicode()).tag(sync=True)
        scene = t.Dict().tag(sync=True)
        frame = t.Dict().tag(sync=True)

        def __init__(self, world, field, slider):
            self._lock, self._stop, self._span = threading.RLock(), threading.Event(), []
            super().__init__(**self._load(world, field, slider))
            self.on_msg(lambda _, wish, __: getattr(self, wish)() if wish in ("step", "reset") else None)

        def _load(self, world, field, slider):
            """Take up a world; return the traits that follow from it."""
            traits = {"fields": list(_fields(world)), "slider": _slider(world, slider), "field": field,
                      "value": world.params[slider] if slider else 0.0, "scene": _scene(world.topology)}
            self._start, self._twin = world.fork(), world.fork()
            self._span.clear()
            return traits | {"frame": _frame(world, field, self._span)}

        @property
        def world(self):
            """A copy of the twin as it is now; assign another world to show that one."""
            with self._lock:
                return self._twin.fork()

        @world.setter
        def world(self, world):
            field = self.field if not isinstance(world, World) or self.field in _fields(world) else "task"
            _check(world, field)
            self.playing = False
            with self._lock, self.hold_trait_notifications():
                for name, value in self._load(world, field, self.slider and self.slider["name"]).items():
                    setattr(self, name, value)

        @t.validate("field", "value")
        def _valid(self, proposal):
            value = proposal["value"]
            if proposal["trait"].name == "field":
                if value not in _fields(self._twin):
                    raise t.TraitError(f"there is no field {value!r}" + closest(value, _fields(self._twin)))
            elif self.slider is None:
                if value:
                    raise t.TraitError(f"this view has no slider that could be set to {value:g}")
            elif not self.slider["low"] <= value <= self.slider["high"]:
                raise t.TraitError("{name} must be in [{low:g}, {high:g}] on this slider".format(**self.slider)
                                   + f", not {value:g}")
            else:
                try:
                    self._twin.params.replace(**{self.slider["name"]: value})
                except ValueError as error:
                    raise t.TraitError(str(error)) from None
            return value

        @t.observe("playing")
        def _play(self, change):
            self._stop.set()
            with self._lock:                    # once had, the thread before has stopped stepping
                if change.new:
                    self._stop = threading.Event()
                    threading.Thread(target=self._run, args=[self._stop], name="view", daemon=True).start()
                else:
                    self._show()

        @t.observe("field")
        def _look(self, _change):
            with self._lock:
                self._span.clear()
                self._show()

        @t.observe("value")
        def _turn(self, _change):
            with self._lock:
                name, value = self.slider and self.slider["name"], self.value
                if name and value != self._twin.params[name]:
                    change = Intervention(f"{name} = {value:g}", lambda world: world.update(**{name: value}))
                    self._twin.do(change)

        def _run(self, stop):
            clock, owed, chunk, wait = time.perf_counter(), 0.0, 1, FRAME
            while not stop.wait(wait):
                with self._lock:
                    now = before = time.perf_counter()
                    owed = min(owed + self.speed * (now - clock), max(1.0, self.speed * PATIENCE))
                    clock = now
                    while owed >= 1 and before < now + PATIENCE and not stop.is_set():
                        n = min(int(owed), chunk)
                        self._twin.step(n)
                        owed, last, before = owed - n, before, time.perf_counter()
                        chunk = 1 + int(n * PATIENCE / (before - last))
                    if not stop.is_set():
                        self._show()
                        wait = max(FRAME, time.perf_counter() - before)  # half the time at most is drawing

        def _show(self):
            self.frame = _frame(self._twin, self.field, self._span)

        def step(self, n=1):
            """Pause, and advance ``n`` ticks."""
            self.playing = False
            with self._lock:
                self._twin.step(n)
                self._show()

        def reset(self):
            """Pause, and go back to the start, with the slider where it is."""
            self.playing = False
            with self._lock:
                self._twin = self._start.fork()
                self._span.clear()
                self._turn(None)
                self._show()

        def close(self):
            """Stop, and take the widget off the page."""
            self.playing = False
            super().close()

        def _repr_mimebundle_(self, **kwargs):
            bundle = super()._repr_mimebundle_(**kwargs)
            if bundle:                          # a still, for pages that show no widgets
                from matplotlib import pyplot

                figure, png = _still(self.world, self.field).get_figure(), io.BytesIO()
                figure.savefig(png, format="png", dpi=80)
                pyplot.close(figure)
                bundle[0]["image/png"] = png.getvalue()
            return bundle

    return FieldView


SCRIPT = """
const put = (parent, tag, props = {}, aria = {}) => {
  const node = Object.assign(document.createElement(tag), props);
  for (const key in aria) node.setAttribute(key, aria[key]);
  return parent.appendChild(node);
};
const bytes = (view) => new Uint8Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
const SIDE = 840;                              // pixels of a canvas of dots

function render({ model, el }) {
  const box = put(el, "div", { className: "organism-view" }, { "data-lm-suppress-shortcuts": "true" });
  const canvas = put(box, "canvas", {}, { role: "img" });
  const legend = put(box, "div", { className: "legend" });
  const status = put(box, "output");
  const set = (name, value) => { model.set(name, value); model.save_changes(); };

  const bar = put(box, "div", {}, { role: "toolbar", "aria-label": "play the world" });
  const button = (textContent, title, onclick) =>
    put(bar, "button", { type: "button", textContent, title, onclick }, { "aria-label": title });
  const play = button("Play", "play", () => set("playing", !model.get("playing")));
  button("Step", "step one tick", () => model.send("step"));
  button("Reset", "go back to the start", () => model.send("reset"));
  const row = (name, tag, props) => {
    const label = put(box, "label");
    return { label, name: put(label, "span", { textContent: name }), input: put(label, tag, props),
             out: put(label, "output") };
  };
  const field = row("show", "select"), value = row("", "input", { type: "range" });
  const speed = row("speed", "input", { type: "range", min: 0, max: 3, step: 0.05 });
  field.input.onchange = () => set("field", field.input.value);
  speed.input.oninput = () => set("speed", Math.round(10 ** speed.input.value));
  value.input.oninput = () => { value.out.textContent = +(+value.input.value).toPrecision(3); };
  value.input.onchange = () => set("value", +value.input.value);

  let places, links;
  const build = () => {                        // what stays the same from frame to frame
    const scene = model.get("scene"), cells = "rows" in scene;
    [canvas.width, canvas.height] = cells ? [scene.columns, scene.rows] : [SIDE, SIDE];
    canvas.style.height = scene.rows === 1 ? "3em" : "auto";
    canvas.className = cells ? "cells" : "";
    places = cells ? null : new Float32Array(bytes(scene.places).buffer).map((at) => at * SIDE);
    if (cells) return;
    const ends = new Uint32Array(bytes(scene.links).buffer);
    links = new Path2D();
    for (let i = 0; i < ends.length; i += 2) {
      links.moveTo(places[2 * ends[i]], places[2 * ends[i] + 1]);
      links.lineTo(places[2 * ends[i + 1]], places[2 * ends[i + 1] + 1]);
    }
  };

  let asked = false;
  const draw = () => {
    asked = false;
    const frame = model.get("frame"), codes = bytes(frame.codes), palette = bytes(frame.palette);
    const ink = canvas.getContext("2d"), n = places ? places.length / 2 : canvas.width * canvas.height;
    const css = (code) => `rgb(${palette.slice(4 * code, 4 * code + 3)})`;
    if (codes.length !== n) return;            // of another scene, which is on its way
    if (places) {
      const radius = Math.max(1.5, Math.min(16, 0.2 * SIDE / Math.sqrt(n)));
      ink.clearRect(0, 0, SIDE, SIDE);
      ink.strokeStyle = "#8886";
      ink.stroke(links);
      ink.strokeStyle = "#333";
      for (let i = 0; i < n; i++) {
        ink.fillStyle = css(codes[i]);
        ink.beginPath();
        ink.arc(places[2 * i], places[2 * i + 1], radius, 0, 7);
        ink.fill();
        if (radius > 5) ink.stroke();
      }
    } else {
      const image = ink.createImageData(canvas.width, canvas.height);
      const pixel = new Uint32Array(image.data.buffer), colour = new Uint32Array(palette.buffer);
      codes.forEach((code, i) => { pixel[i] = colour[code]; });
      ink.putImageData(image, 0, 0);
    }
    status.textContent = frame.text;
    canvas.setAttribute("aria-label", `${frame.legend.label}; ${frame.text}`);
    const { label, marks, low, high } = frame.legend;
    legend.replaceChildren();
    put(legend, "div", { textContent: label });
    const ramp = `linear-gradient(to right, ${[2, 65, 128, 192, 255].map(css)})`;
    for (const [name, colour] of marks || [[high, ramp]]) {
      const mark = put(legend, "span", { textContent: marks ? "" : low + " " });
      put(mark, "i", { className: marks ? "" : "ramp" }).style.background = colour;
      mark.append(name);
    }
  };
  const soon = () => { asked = asked || requestAnimationFrame(draw); };
  const tell = () => {                         // what the traits say, into the controls
    const slider = model.get("slider");
    play.textContent = model.get("playing") ? "Pause" : "Play";
    play.title = play.textContent.toLowerCase();
    play.setAttribute("aria-label", play.title);
    speed.input.value = Math.log10(model.get("speed"));
    speed.out.textContent = `${Math.round(model.get("speed"))} ticks/s`;
    speed.input.setAttribute("aria-valuetext", speed.out.textContent);
    field.input.value = model.get("field");
    value.label.hidden = !slider;
    if (!slider) return;
    value.name.textContent = slider.name;
    Object.assign(value.input, { min: slider.low, max: slider.high, step: slider.step, title: slider.doc });
    value.input.value = model.get("value");
    value.input.oninput();
  };
  const list = () => {
    const option = (name) => new Option(name.replaceAll("_", " "), name);
    field.input.replaceChildren(...model.get("fields").map(option));
    tell();
  };
  model.on("change:playing change:speed change:field change:value change:slider", tell);
  model.on("change:fields", list);
  model.on("change:scene", () => { build(); soon(); });
  model.on("change:frame", soon);
  build();
  list();
  draw();
  return () => { if (model.get("playing")) set("playing", false); };    // nobody looks any more
}
export default { render };
"""

LOOKS = """
.organism-view { width: 420px; max-width: 100%; font-size: 13px; color: var(--jp-ui-font-color1, inherit); }
.organism-view > * { margin: 4px 0; }
.organism-view canvas { display: block; width: 100%; box-sizing: border-box; border: 1px solid #8888; }
.organism-view canvas.cells { image-rendering: pixelated; background: white; }
.organism-view output { display: block; font-variant-numeric: tabular-nums; }
.organism-view .legend { display: flex; flex-wrap: wrap; gap: 2px 12px; }
.organism-view .legend div { flex-basis: 100%; }
.organism-view .legend i { display: inline-block; width: 11px; height: 11px; margin-right: 4px; }
.organism-view .legend i { border: 1px solid #8888; }
.organism-view .legend i.ramp { width: 120px; }
.organism-view button { min-width: 5em; margin-right: 6px; padding: 3px 8px; font: inherit; }
.organism-view label { display: grid; grid-template-columns: 9em 1fr 7em; gap: 8px; align-items: center; }
.organism-view label[hidden] { display: none; }
"""
