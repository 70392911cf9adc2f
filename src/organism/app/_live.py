"""Components that show a running model in one widget, and the guard between those who step it and those who read it."""

from __future__ import annotations

import logging
import threading

import solara
from mesa.visualization.utils import update_counter

from .._paint import check_field
from ..model import OrganismModel
from ..view import SERIES
from ..view._fields import FieldSubject, read_layers
from ..view._series import read_measures
from ..view._subject import Subject
from ..view._widget import field_view

__all__ = ["Guard", "make_field_component", "make_view_component"]

log = logging.getLogger(__name__)


class Guard:
    """Steps a model while no page reads it; if the model raises, stops it and keeps the sentence.

    Put in the place of the model's own ``step``, since Mesa's controls call that, from a thread or a button.

    Parameters
    ----------
    model : mesa.Model
    """

    def __init__(self, model):
        self.model, self.step, self.lock, self.error = model, model.step, threading.RLock(), ""

    @classmethod
    def of(cls, model) -> Guard:
        """Return the guard of a model, put before its step if it had none."""
        if not isinstance(model.step, cls):
            model.step = cls(model)
        return model.step

    def __call__(self, *args, **kwargs):
        with self.lock:
            try:
                return self.step(*args, **kwargs)
            except Exception as error:
                log.warning("the model was stopped", exc_info=True)
                self.error = f"{type(error).__name__}: {' '.join(str(error).split())}"
                self.model.running = False      # which stops Mesa's controls until Reset


def _follow(model, subject, field, sliders, series):
    """Show a model, in the one widget of this place on the page."""
    update_counter.get()
    guard = Guard.of(model)

    def make():
        with guard.lock:
            return field_view()([subject(model)], field, sliders, series, follow=True)

    widget = solara.use_memo(make, [])
    shown = solara.use_ref(None)
    if shown.current is not model:
        shown.current = model
        widget.follow(subject(model), guard.lock)
    widget.message = guard.error
    widget.refresh(every=False)

    def leave():
        def close():
            widget.close()
        return close

    solara.use_effect(leave, [])
    solara.display(widget)


def make_view_component(field="task", sliders=("care.weight",), series=SERIES):
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
        If a measure is unknown. Other names are looked up in the first model.

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

    @solara.component
    def View(model):
        _follow(model, subject, field, sliders, series)

    return View


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

    @solara.component
    def Fields(model):
        _follow(model, subject, next(iter(layers)), (), measures)

    return Fields
