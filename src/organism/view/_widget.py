"""The widget in the notebook: worlds played in the background, and a page that draws them.

Pictures travel as messages, not as synchronised state: one byte a site, as numbers of a
palette. A few times a second the page tells which frame it has drawn.
"""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Iterable
from importlib.resources import files

import numpy as np

from .._checks import closest, whole
from ..world import World
from ._player import FASTEST, SLOWEST, Player
from ._series import Series, read_measures
from ._subject import Subject

__all__ = ["field_view", "still"]

#: What the page may ask for, and the methods that do it.
WISHES = {"step": "step", "reset": "reset", "find roles": "find_roles", "find wholes": "find_wholes"}
#: Ticks a second below which the next frame is not waited for.
PROMPT = 20
#: Whom the sliders move, where there are two worlds.
ACTS_ON = ("left", "right", "both")


def still(world, field, roles=None, wholes=None):
    """Return Axes with a picture of a world; tasks are shown as roles."""
    from .. import _paint, plots

    name, part = _paint.names(world, roles, wholes)[field]
    when = f", tick {world.tick:,}"
    if name in ("task", "dominant_task"):
        return plots.role_map(world, title="roles" + when)
    if name == "role":
        return plots.role_map(world, roles=roles, title="roles" + when)
    if name == "whole":
        return plots.wholes_map(world, wholes, title="roles and wholes" + when)
    title = field.replace("_", " ") + when
    if name == "welfare":
        return plots.welfare_map(world, title=title)
    if name == "dependence":
        from ..measures import dependence

        return plots.field_map(world, dependence(world, each=True), label="dependence (imports / consumption)",
                               limits=(0, 1), title=title)
    return plots.field_map(world, name, resource=part, title=title)


@functools.cache
def field_view():
    """Return the widget's class, made when it is first needed; None where anywidget is absent."""
    try:
        import anywidget
        import traitlets as t
    except ImportError:
        return None
    page = files(__package__)

    class FieldView(anywidget.AnyWidget):
        """Worlds that are played in the background: see :func:`organism.view`."""

        _esm = page.joinpath("field_view.js").read_text(encoding="utf-8")
        _css = page.joinpath("field_view.css").read_text(encoding="utf-8")
        playing = t.Bool(False).tag(sync=True)
        speed = t.Float(100.0).tag(sync=True)
        field = t.Unicode().tag(sync=True)
        fields = t.List(t.Unicode()).tag(sync=True)
        sliders = t.List(t.Dict()).tag(sync=True)
        values = t.Dict().tag(sync=True)
        acts_on = t.Enum(ACTS_ON, "left").tag(sync=True)
        names = t.List(t.Unicode()).tag(sync=True)
        flows = t.Bool(False).tag(sync=True)
        borders = t.Int(-1).tag(sync=True)
        levels = t.List(t.Unicode()).tag(sync=True)
        controls = t.Bool(True).tag(sync=True)
        extras = t.Bool(True).tag(sync=True)
        busy = t.Unicode().tag(sync=True)
        message = t.Unicode().tag(sync=True)

        def __init__(self, subjects, field, sliders=(), series=(), names=None, follow=False):
            self._player = Player(self._advance, self._show, self._fail)
            self._series = Series(read_measures(series))
            self._chosen, self._number, self._follow, self._late = None, 0, follow, False
            self._lines, self.frame, self._quiet, self._closed = {}, {}, True, False
            super().__init__(controls=not follow, **self._load(subjects, field, sliders, names))
            self._quiet = False
            self.on_msg(lambda _, wish, __: self._heard(wish))
            self._show()

        # -- worlds --------------------------------------------------------------------------

        def _load(self, subjects, field, sliders, names):
            """Take up worlds; return the traits that follow from them."""
            moved = [_across([one.slider(name) for one in subjects]) for name in sliders]
            for other in subjects[1:]:
                other.span = subjects[0].span       # one scale for all
            self._start = [one.fork() for one in subjects] if not self._follow else subjects
            self._subjects = subjects
            self._turned = [{} for _ in subjects]   # where the sliders of each world were put
            self._alike = len({one.kind() for one in subjects}) == 1
            self._chosen, self._lines = None, {}
            self._series.clear()
            if names is None:
                names = self.names if len(self.names) == len(subjects) else list(ACTS_ON[:2]) if len(
                    subjects) == 2 else [""]
            return {"fields": self._fields(), "field": field, "sliders": moved, "levels": self._levels(), "borders": -1,
                    "extras": subjects[0].extras, "acts_on": "left",
                    "values": {one["name"]: subjects[0].value(one["name"]) for one in moved}, "names": list(names)}

        def _fields(self):
            there = [one.fields() for one in self._subjects]
            return [name for name in there[0] if all(name in others for others in there)]

        def _levels(self):
            found = [one.wholes for one in self._subjects]
            if any(one is None for one in found):
                return []
            verdict = {True: " (stands)", False: " (does not stand)", None: " (no nulls)"}
            return [f"level {i}: " + " and ".join(f"{one[i].n_wholes:,} wholes{verdict[one[i].stands]}"
                                                  for one in found) for i in range(min(map(len, found)))]

        @property
        def worlds(self):
            """Copies of the worlds as they are now; assign others, one or two, to show those."""
            with self._player.lock:
                return [one.world.fork() for one in self._subjects]

        @worlds.setter
        def worlds(self, worlds):
            if isinstance(worlds, World) or not isinstance(worlds, Iterable):
                raise TypeError(f"worlds must be a sequence of one world or two, not {worlds!r:.60}")
            subjects = [Subject(world).fork() for world in worlds]
            if not 1 <= len(subjects) <= 2:
                raise ValueError(f"worlds must be one world or two, not {len(subjects)}")
            self._replace(subjects)

        @property
        def world(self):
            """A copy of the (left) world as it is now; assign another to show that one alone."""
            return self.worlds[0]

        @world.setter
        def world(self, world):
            self.worlds = [world]

        def follow(self, subject, lock):
            """Show another model's world, which somebody else steps, while holding the lock."""
            self._player.lock = lock
            self._replace([subject])

        def _replace(self, subjects):
            sliders = [one["name"] for one in self.sliders]
            for name in sliders:
                for one in subjects:
                    one.slider(name)                # refused before anything is changed
            self.playing = False
            with self._player.lock:
                there = [name for name in subjects[0].fields() if all(name in one.fields() for one in subjects)]
                field = self.field if self.field in there else there[0]
                self._quiet = True
                try:
                    with self.hold_trait_notifications():
                        for name, value in self._load(subjects, field, sliders, None).items():
                            setattr(self, name, value)
                        self.message = ""
                finally:
                    self._quiet = False
                self._send_scene()
                self._show(whole=True)

        # -- time ----------------------------------------------------------------------------

        def _advance(self, n):
            for one in self._subjects:
                one.step(n)

        def _fail(self, error):
            self.message = f"{type(error).__name__}: {' '.join(str(error).split())}"
            self.playing = False

        @t.observe("playing")
        def _play(self, _change):
            self._player.stop()
            with self._player.lock:             # what holds now: another thread may have pressed the other button
                if self.playing:
                    self.message = ""
                    self._player.play()
                    return
            self.refresh()

        @t.observe("speed")
        def _pace(self, change):
            self._player.speed = change.new

        def step(self, n=1):
            """Pause, and advance ``n`` ticks."""
            n = whole("n", n, 0)
            self.playing = False
            self.message = ""
            with self._player.lock:
                self._advance(n)
            self.refresh()

        def reset(self):
            """Pause, and go back to the start, with the sliders where they are."""
            self.playing = False
            with self._player.lock:
                found = [(one.roles, one.wholes) for one in self._subjects]
                self._subjects[:] = [one.fork() for one in self._start]
                for one, (one.roles, one.wholes), turned in zip(self._subjects, found, self._turned, strict=True):
                    one.span = self._subjects[0].span
                    for name, value in turned.items():
                        one.turn(name, value)
                self._series.clear()
                self._chosen, self.message = None, ""
            self.refresh()

        def close(self):
            """Stop, and take the widget off the page for good."""
            self.playing = False
            self._closed = True
            super().close()

        # -- what the page says ----------------------------------------------------------------

        def _heard(self, wish):
            if not isinstance(wish, dict):
                return
            try:
                self._answer(str(wish.get("page", "")), wish.get("say"), wish)
            except Exception as error:              # the page lives on, and says why
                self._fail(error)

        def _answer(self, page, what, wish):
            if what == "drawn":
                self._player.heard(page, int(wish.get("number", 0)))
                if self._late:
                    self.refresh(every=False)
            elif what == "here":
                self._player.heard(page)
            elif what == "ready":
                with self._player.lock:
                    self._player.heard(page, self._number)
                    self._send_scene()
                    self._show(whole=True)
            elif what == "gone":
                if self._player.gone(page):
                    self.playing = False
            elif what in WISHES:
                getattr(self, WISHES[what])()
            elif what == "click":
                self._click(wish.get("panel"), wish.get("x"), wish.get("y"))
            elif what == "move":
                self._move(int(wish.get("x", 0)), int(wish.get("y", 0)))
            elif what == "leave":
                self.select(None)

        def _click(self, panel, x, y):
            if panel in range(len(self._subjects)) and 0 <= x < 1 and 0 <= y < 1:
                with self._player.lock:
                    site = self._subjects[panel].site_at(x, y)
                self.select(site, panel)

        def _move(self, x, y):
            with self._player.lock:
                panel, site = self._where()
                one = self._subjects[panel]
                site = one.middle() if site is None else one.site_beside(site, x, y)
            self.select(site, panel)

        def _where(self):
            """Return panel and site of what is chosen; no site where it is gone."""
            if self._chosen is None:
                return 0, None
            panel, site, uid = self._chosen
            return panel, site if uid is None else self._subjects[panel].site_of(uid)

        def select(self, site, panel=0):
            """Show the state, suppliers and clients of the member at a site (None: of nobody).

            Parameters
            ----------
            site : int or None
            panel : int
                0 of the left world, 1 of the right one. Where both are of one seed and topology, the same member is
                shown in the other.
            """
            with self._player.lock:
                panel = whole("panel", panel, 0)
                if panel >= len(self._subjects):
                    raise ValueError(f"panel must be below {len(self._subjects)}, the number of worlds, not {panel}")
                if site is None:
                    self._chosen = None
                else:
                    one, site = self._subjects[panel], whole("site", site, 0)
                    if site >= one.n_sites:
                        raise ValueError(f"site must be in [0, {one.n_sites - 1}], not {site}")
                    self._chosen = panel, site, one.uid_at(site)
                self._show_soon()

        @property
        def selected(self):
            """What is told of the chosen member: one dict a world, None where it is gone, False of unrelated worlds."""
            return self.frame.get("details")

        # -- roles and wholes ---------------------------------------------------------------------

        def find_roles(self, wait=False):
            """Find the roles of the members as they are now, in the background; then show them.

            Parameters
            ----------
            wait : bool
                Return only when they are found.
            """
            self._find("roles", wait)

        def find_wholes(self, wait=False):
            """Find the wholes as they are now, in the background; then show them and their boundaries.

            Of more than 2,000 members without nulls, as the legend then says.

            Parameters
            ----------
            wait : bool
                Return only when they are found.
            """
            self._find("wholes", wait)

        def _find(self, what, wait):
            with self._player.lock:
                if self.busy:
                    raise RuntimeError(f"the view is {self.busy.rstrip('…')}; wait until it is done")
                self.busy, self.message = f"finding {what}…", ""
                subjects, copies = self._subjects, [one.fork() for one in self._subjects]

            def search():
                try:
                    for one in copies:
                        one.find(what)
                    with self._player.lock:
                        if subjects is self._subjects:
                            self._found(what, copies)
                        else:
                            self.message = f"{what} were found, but of worlds that are not shown any more"
                except Exception as error:
                    self.message = f"{what} were not found: {error}"
                    if wait:
                        raise
                finally:
                    self.busy = ""
                if not self.playing:
                    self.refresh()
            if wait:
                search()
            else:
                threading.Thread(target=search, name="view: find", daemon=True).start()

        def _found(self, what, copies):
            there = [name for name in copies[0].fields() if all(name in one.fields() for one in copies)]
            if self.field not in there:             # fewer levels than before
                self.field = there[0]
            if what == "wholes":
                self.borders = -1
            for one, copy in zip(self._subjects, copies, strict=True):
                setattr(one, what, getattr(copy, what))
            self._lines.clear()
            self.levels, self.fields = self._levels(), self._fields()
            if what == "roles":
                self.field = "role"
            elif self.levels:
                stands = [all(one.wholes[i].stands for one in self._subjects) for i in range(len(self.levels))]
                self.borders = stands.index(True) if any(stands) else 0
            else:
                none = next(one for one in copies if not len(one.wholes))
                self.message = str(none.wholes).splitlines()[0]

        # -- parameters ------------------------------------------------------------------------

        @t.validate("field", "values", "borders", "speed", "playing")
        def _valid(self, proposal):
            value, name = proposal["value"], proposal["trait"].name
            if name == "playing":
                if value and self._closed:
                    raise t.TraitError("this view is closed; make another with organism.view")
                return value
            if name == "speed":
                if not SLOWEST <= value <= FASTEST:
                    raise t.TraitError(f"speed must be in [{SLOWEST:g}, {FASTEST:g}] ticks a second, not {value:g}")
                return value
            if name == "field":
                if value not in self._fields():
                    raise t.TraitError(f"there is no field {value!r}" + closest(value, self._fields()))
            elif name == "borders":
                if not -1 <= value < len(self.levels):
                    raise t.TraitError(f"borders must be -1 (none) or a level below {len(self.levels)}, not {value}"
                                       + "; find_wholes finds levels" * (not self.levels))
            else:
                value = {**self.values, **value}
                for slider, number in value.items():
                    self._valid_number(slider, number)
            return value

        def _valid_number(self, name, value):
            about = next((one for one in self.sliders if one["name"] == name), None)
            if about is None:
                raise t.TraitError(f"this view has no slider called {name!r}"
                                   + closest(str(name), [one["name"] for one in self.sliders]))
            if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
                raise t.TraitError(f"{name} must be a number, not {value!r}")
            if not about["low"] <= value <= about["high"]:
                raise t.TraitError(f"{name} must be in [{about['low']:g}, {about['high']:g}] on this slider, "
                                   f"not {value:g}")
            if self._quiet:
                return
            try:
                for one in self._moved():
                    one.check(name, value)
            except ValueError as error:
                raise t.TraitError(str(error)) from None

        def _moved(self):
            """Return the worlds that the sliders move."""
            if len(self._subjects) == 1 or self.acts_on == "both":
                return self._subjects
            return [self._subjects[ACTS_ON.index(self.acts_on)]]

        @t.observe("values")
        def _turn(self, change):
            if self._quiet:
                return
            with self._player.lock:
                for one in self._moved():
                    for name, value in change.new.items():
                        if change.old.get(name) != value:
                            one.turn(name, value)
                            self._turned[self._subjects.index(one)][name] = value

        @t.observe("acts_on")
        def _address(self, _change):
            if self._quiet:
                return
            with self._player.lock:             # the sliders say what holds in the world they move
                self._quiet = True
                try:
                    self.values = {name: self._moved()[0].value(name) for name in self.values}
                finally:
                    self._quiet = False

        @t.observe("field", "flows", "borders")
        def _look(self, change):
            with self._player.lock:
                if change.name == "field":
                    self._subjects[0].span.clear()
                self._show_soon()

        def _show_soon(self):
            """Show what was chosen at once, unless the next frame will anyway."""
            if not self.playing or self.speed < PROMPT:
                self._show()

        # -- frames ------------------------------------------------------------------------------

        def refresh(self, every=True):
            """Draw the worlds as they are now; without ``every`` when the page is ready, and no dear measures."""
            with self._player.lock:
                self._late = not every and self._player.is_behind(self._number)     # then once the page has answered
                if self._late:
                    return
                try:
                    self._show(every=every)
                except Exception as error:
                    self._fail(error)

        def _send_scene(self):
            scenes, buffers = [], []
            for one in self._subjects:
                scene, more = one.scene()
                scenes.append({**scene, "buffer": len(buffers)})
                buffers += more
            self.send({"kind": "scene", "panels": scenes}, buffers)

        def _show(self, whole=False, every=False):
            """Send a frame to the page; return its number. The worlds are only read."""
            if not hasattr(self, "_subjects") or not self.field:
                return 0
            wrong = self._series.sample(self._subjects, every)
            if wrong:                           # the picture and the other measures go on
                self.message = "; ".join(wrong)
            before = list(self._subjects[0].span)
            paintings = [one.paint(self.field) for one in self._subjects]
            if before != self._subjects[0].span and len(paintings) > 1:    # the second widened the scale
                paintings = [one.paint(self.field) for one in self._subjects]
            buffers, panels = [], []

            def pack(array):
                buffers.append(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
                return len(buffers) - 1
            for one, painting in zip(self._subjects, paintings, strict=True):
                panel = {"text": one.text(), "codes": pack(painting.codes), "palette": pack(painting.palette)}
                if self.flows:
                    lines, widths = one.flows()
                    panel |= {"flows": pack(lines), "widths": pack(widths.astype(np.float32))}
                panels.append(panel)
            if self.borders >= 0:
                for i, lines in enumerate(self._borders()):
                    panels[i]["borders"] = pack(lines)
            self._number += 1
            content = {"kind": "frame", "number": self._number, "tick": self._subjects[0].tick, "panels": panels,
                       "legend": _merged([painting.legend for painting in paintings]),
                       "details": self._details(), "series": self._series.news(whole)}
            if len(paintings) == 2 and paintings[0].codes.shape == paintings[1].codes.shape:
                content["differ"] = float((paintings[0].codes != paintings[1].codes).mean())
            self.send(content, buffers)
            self.frame = content | {"paintings": paintings}
            return self._number

        def _borders(self):
            """Return the boundaries of wholes in each world, made anew only where members came, went or moved."""
            lines = []
            for i, one in enumerate(self._subjects):
                key = i, self.borders
                told = np.asarray(one.world.state["uid"])
                if key not in self._lines or not np.array_equal(self._lines[key][0], told):
                    self._lines[key] = told.copy(), one.borders(self.borders)
                lines.append(self._lines[key][1])
            return lines

        def _details(self):
            """Return what is told of the chosen one in each world: None where it is gone, False of unrelated worlds."""
            if self._chosen is None:
                return None
            panel, site, uid = self._chosen
            told = []
            for i, one in enumerate(self._subjects):
                if i != panel and not self._alike:
                    told.append(False)
                    continue
                where = site if uid is None else one.site_of(uid)
                told.append(None if where is None else one.detail(where))
            return told

        def _repr_mimebundle_(self, **kwargs):
            bundle = super()._repr_mimebundle_(**kwargs)
            if bundle and not self._follow:     # a still, for pages that show no widgets
                from matplotlib import pyplot

                with self._player.lock:
                    one = self._subjects[0].fork()
                figure, png = still(one.world, self.field, one.roles, one.wholes).get_figure(), io.BytesIO()
                figure.savefig(png, format="png", dpi=80)
                pyplot.close(figure)
                bundle[0]["image/png"] = png.getvalue()
            return bundle

    return FieldView


def _across(sliders):
    """Return one slider for the same parameter of several worlds: its range holds all their values."""
    return sliders[0] | {"low": min(one["low"] for one in sliders), "high": max(one["high"] for one in sliders)}


def _merged(legends):
    """Return one legend for pictures with the same colours."""
    legend = dict(legends[0])
    for other in legends[1:]:
        legend["marks"] = legend.get("marks", []) + [mark for mark in other.get("marks", [])
                                                     if mark not in legend.get("marks", [])]
    if not legend.get("marks"):
        legend.pop("marks", None)
    return legend
