"""What is around the pages: a bar with their names."""

from __future__ import annotations

import solara

__all__ = ["Layout"]


@solara.component
def Layout(children=()):
    """Show a page below the names of all."""
    _, routes = solara.use_route()
    with solara.AppLayout(title="organism", children=list(children)):
        with solara.AppBar(), solara.lab.Tabs(align="center"):
            for route in routes:
                solara.lab.Tab(route.label, path_or_route=route)
