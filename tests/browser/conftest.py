"""A real browser, a JupyterLab and a Solara server for the tests in this folder.

They need the extras ``app``, ``notebook`` and ``browser`` and a Chromium: ``$ORGANISM_CHROMIUM``, one on the path, or
Playwright's own (``playwright install chromium``); else they are skipped, and say why. Screenshots are left in
``build/browser``, or in ``$ORGANISM_SCREENSHOTS``.
"""

import importlib.util
from pathlib import Path

import pytest

from .pages import Notebook, chromium, open_browser, start_lab, stop

NEEDED = {"test_notebook": ("playwright", "anywidget", "jupyterlab", "networkx"),
          "test_page": ("playwright", "anywidget", "solara", "solara_assets", "ipyvuetify", "altair")}


def pytest_collection_modifyitems(items):
    """Skip what cannot be run here, and say why."""
    for item in items:
        path = Path(item.fspath)
        if path.parent != Path(__file__).parent:
            continue
        missing = [name for name in NEEDED[path.stem] if importlib.util.find_spec(name) is None]
        if missing:
            reason = f"{', '.join(missing)} not installed: pip install \"organism-abm[app,notebook,browser]\""
        else:
            reason = "" if chromium() else "no Chromium: apt-get install chromium, or playwright install chromium"
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def browser():
    """Return a headless Chromium."""
    with open_browser() as found:
        yield found


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Return the address and folder of a JupyterLab whose kernels are of this interpreter."""
    folder = tmp_path_factory.mktemp("lab")
    process, address = start_lab(folder)
    yield address, folder
    stop(process)


@pytest.fixture
def notebook(lab, browser, request):
    """Open notebooks with code in their one cell."""
    made = []

    def make(code):
        name = f"{request.node.name}-{len(made)}".replace("[", "-").replace("]", "")
        made.append(Notebook(lab, browser, name, code))
        return made[-1]
    yield make
    for one in made:
        one.close()
