"""Components that show a running model in one widget, and the guard between those who step it and those who read it."""

from __future__ import annotations

import logging
import threading
import time

import solara
from mesa.visualization.utils import update_counter

from .._paint import check_field
from ..model import OrganismModel
from ..view import SERIES, SLIDERS
from ..view._fields import FieldSubject, read_layers
from ..view._series import read_measures
from ..view._subject import Subject
from ..view._widget import field_view

__all__ = ["Guard", "make_field_component", "make_view_component"]

log = logging.getLogger(__name__)
#: Seconds between two looks whether a page is back; that a step waits at most for a render.
PAUSE, LATE = 0.5, 1.0


class Guard:
    """Steps a model while no page reads it; if the model raises, stops it and keeps the sentence.

    Put in the place of the model's own ``step``, since Mesa's controls call that, from a thread or a button.

    Parameters
    ----------
    model : mesa.Model
    """

    def __init__(self, model):
        self.model, self.step, self.lock, self.error = model, model.step, threading.RLock(), ""
        self._pages, self._left = 0, False

    @classmethod
    def of(cls, model) -> Guard:
        """Return the guard of a model, put before its step if it had none."""
        if not isinstance(model.step, cls):
            model.step = cls(model)
        return model.step

    def watch(self):
        """Note that a place on a page shows the model; return what notes that it does no more."""
        with self.lock:
            self._pages += 1
            if self._left:
                self._left, self.model.running = False, True

        def leave():
            with self.lock:
                self._pages -= 1
                if not self._pages and self.model.running:
                    self._left, self.model.running = True, False    # else Mesa's thread would step on
        return leave

    def __call__(self, *args, **kwargs):
        _await_page()
        with self.lock:
            try:
                return self.step(*args, **kwargs)
            except Exception as error:
                log.warning("the model was stopped", exc_info=True)
                self.error = f"{type(error).__name__}: {' '.join(str(error).split())}"
                self.model.running = False      # which stops Mesa's controls until Reset


def _await_page():
    """Wait while the pages that this thread steps for are out of reach, and end the thread once they are closed.

    Wait for a render, too: Solara gives up on a page that changes during each.
    """
    try:
        from solara.server.kernel_context import PageStatus, get_current_context

        context = get_current_context()
    except (ImportError, RuntimeError):     # in a notebook, or no page's thread
        return
    while not context.closed_event.is_set():
        pages = tuple(context.page_status.values())
        if not pages or PageStatus.CONNECTED in pages:
            end, renders = time.monotonic() + LATE, getattr(context.app_object, "thread_lock", None)
            while renders is not None and renders.locked() and time.monotonic() < end:
                time.sleep(0.001)
            return
        context.closed_event.wait(PAUSE)
    raise solara.util.CancelledError


@solara.component
def Followed(model, subject, field, sliders, series):
    """Show a subject, and the next model's, in the one widget of this place on the page."""
    guard = Guard.of(model)

    def make():
        with guard.lock:
            return field_view()([subject], field, sliders, series, follow=True)

    widget = solara.use_memo(make, [])
    shown = solara.use_ref(None)
    if shown.current is not subject:
        shown.current = subject
        widget.follow(subject, guard.lock)
        widget.message = guard.error            # also to a page that comes later

    def refresh(_count):
        widget.message = guard.error
        widget.refresh(every=False)

    # Not update_counter.get(): frames need no render, which costs Solara several times what a frame does.
    solara.use_effect(lambda: update_counter.subscribe(refresh), [subject])
    solara.use_effect(guard.watch, [model])
    solara.use_effect(lambda: widget.close, [])
    solara.Column(children=[widget])


def _component(make_subject, field, sliders, series):
    """Return the component of a view, which says in a sentence what it cannot show."""
    def find(model):
        try:
            with Guard.of(model).lock:
                subject = make_subject(model)
            for name in sliders:
                subject.slider(name)
            subject.paint(field)
        except Exception as error:          # a function of somebody's own, too
            return None, " ".join(str(error).split())
        return subject, ""

    @solara.component
    def View(model):
        subject, mistake = solara.use_memo(lambda: find(model), [model])
        if mistake:
            solara.Error(mistake)
        else:
            Followed(model, subject, field, sliders, series)

    return View


def make_view_component(field="task", sliders=SLIDERS, series=SERIES):
    """Return a component for Mesa's SolaraViz that shows an `OrganismModel` as it runs.

    Parameters
    ----------
    field, sliders, series
        As :func:`organism.view` takes them. Sliders change the running world, whose history says when.

    Returns
    -------
    callable
        For ``SolaraViz(model, components=[...])``.

    Raises
    ------
    TypeError, ValueError
        If a measure is unknown. What else cannot be shown is said on the page.

    Examples
    --------
    >>> from organism.app import make_view_component
    >>> make_view_component("welfare", sliders=["care.weight", "exchange.loss"])   # doctest: +SKIP
    """
    sliders = [sliders] if isinstance(sliders, str) else list(sliders or ())
    read_measures(series)

    def subject(model):
        if not isinstance(model, OrganismModel):
            raise TypeError(f"make_view_component shows an OrganismModel, not {type(model).__name__}; "
                            "make_field_component shows any Mesa model")
        check_field(model.world, field)
        return Subject(model.world)

    return _component(subject, field, sliders, series)


def make_field_component(fields, topology=None, *, series=None, text=None):
    """Return a component for Mesa's SolaraViz that shows fields of any Mesa model as it runs.

    Parameters
    ----------
    fields : mapping of str to Layer, str or callable
        What can be shown, by name; the first is shown first. See `Layer`.
    topology : Topology, str or callable, optional
        Where the sites are, or the model's attribute or a function of the model that says so. By default
        as the values have it: those of a `Field` lie on its topology, those in two dimensions are
        ``(width, height)``, as Mesa's property layers.
    series : mapping of str to callable, optional
        Numbers over time: functions of the model by name.
    text : callable, optional
        Function of the model that returns the line below the picture.

    Returns
    -------
    callable
        For ``SolaraViz(model, components=[...])``.

    Raises
    ------
    TypeError, ValueError
        If a field or a measure is no such thing.

    Examples
    --------
    >>> from organism.app import Layer, make_field_component
    >>> make_field_component({"strategy": Layer("strategies", categories=["cooperate", "defect"])})   # doctest: +SKIP
    """
    layers = read_layers(fields)
    measures = {name: (lambda host, measure=measure: measure(host.model))
                for name, measure in read_measures({} if series is None else dict(series)).items()}

    def subject(model):
        return FieldSubject(model, layers, topology, text)

    return _component(subject, next(iter(layers)), (), measures)
