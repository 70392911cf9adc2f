"""The web page: :func:`make_view_component` and :func:`make_field_component` for Mesa's SolaraViz, and our own page.

``organism app`` opens it, and asks nothing of the internet; so does ``solara run organism.app``, with Solara's own
settings (it looks whether solara.dev can be reached). A model is shown as it is; one that raises in a step is stopped,
and the page says why. Parameters at the side are taken up on Reset. Both components draw at each of the
model's steps, one byte a site, into a widget that stays where it is.

>>> from mesa.visualization import SolaraViz
>>> from organism import OrganismModel
>>> from organism.app import make_view_component
>>> page = SolaraViz(OrganismModel(16, 16, rng=1), components=[make_view_component("welfare")])   # doctest: +SKIP
"""

from __future__ import annotations

from ..view._widget import field_view

try:
    import solara
    from mesa.visualization import SolaraViz  # noqa: F401
except ImportError as error:
    missing = str(error)
else:
    missing = "" if field_view() is not None else "No module named 'anywidget'"
if missing:
    raise ImportError(f"the web page needs more libraries ({missing}): pip install \"organism-abm[app]\"")

from ..view._fields import Layer  # noqa: E402
from ._claims import Claims  # noqa: E402
from ._layout import Layout  # noqa: E402
from ._live import make_field_component, make_view_component  # noqa: E402
from ._page import Model  # noqa: E402

__all__ = ["Layer", "make_field_component", "make_view_component", "routes"]

#: The pages, as Solara finds them.
routes = [solara.Route("/", component=Model, layout=Layout, label="Model"),
          solara.Route("claims", component=Claims, label="Claim cards")]
