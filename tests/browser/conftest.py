"""A real browser, a JupyterLab and a Solara server for the tests in this folder.

They need the extras ``app``, ``notebook`` and ``browser`` and a Chromium: ``$ORGANISM_CHROMIUM``, one on the path, or
Playwright's own (``playwright install chromium``); else they are skipped, and say why. Screenshots are left in
``build/browser``, or in ``$ORGANISM_SCREENSHOTS``.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SHOTS = Path(os.environ.get("ORGANISM_SCREENSHOTS", ROOT / "build" / "browser"))
NEEDED = ("playwright", "jupyterlab", "solara", "anywidget", "ipyvuetify", "altair")

missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]


def pytest_collection_modifyitems(items):
    """Skip what cannot be run here, and keep each file in one process."""
    reason = f"{', '.join(missing)} not installed: pip install \"organism-abm[app,notebook,browser]\"" if missing else ""
    if not reason and not chromium():
        reason = "no Chromium on this machine: apt-get install chromium, or playwright install chromium"
    for item in items:
        if Path(item.fspath).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group(Path(item.fspath).stem))
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


def chromium() -> str | None:
    """Return the browser to use."""
    for name in (os.environ.get("ORGANISM_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


@pytest.fixture(scope="session")
def browser():
    """Return a headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-background-networking",
                                              "--disable-component-update", "--disable-sync"])
        yield found
        found.close()


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return some.getsockname()[1]


def listening(port: int, process, log: Path, seconds=90) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as some:
            if some.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError(f"the server does not answer:\n{log.read_text()[-3000:]}")


def serve(command, port, folder, **environment):
    """Start a server; return its process."""
    log = folder / f"server-{port}.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT,
                                   env=os.environ | {key: str(value) for key, value in environment.items()})
    try:
        listening(port, process, log)
    except BaseException:
        process.kill()
        raise
    return process


def stop(process):
    """End a server."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Window:
    """A page of the browser, and what it complained about."""

    def __init__(self, browser, width=1300, height=1500):
        self.context = browser.new_context(viewport={"width": width, "height": height})
        self.page = self.context.new_page()
        self.errors, self.refused = [], []
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("requestfailed", lambda request: self.refused.append(request.url))
        self.page.on("request", lambda request: self.refused.append(request.url) if "127.0.0.1" not in request.url
                     and request.url.startswith("http") else None)

    def shot(self, name, where=None):
        """Keep a picture."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        (where or self.page).screenshot(path=SHOTS / f"{name}.png")

    def close(self):
        """Close the page as a user does."""
        self.page.close(run_before_unload=False)
        self.context.close()


def pixels(view, panel=0) -> np.ndarray:
    """Return the RGB that a canvas of cells really shows, uint8 (rows, columns, 3)."""
    width, height, values = view.locator("canvas:not(.over)").nth(panel).evaluate(
        """canvas => [canvas.width, canvas.height, Array.from(
             canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)]""")
    return np.array(values, np.uint8).reshape(height, width, 4)[:, :, :3]


def drawn(world, field="task") -> np.ndarray:
    """Return the RGB that a view must show of a world on a grid."""
    from organism import _paint

    painting = _paint.paint(world, field)
    return painting.palette[_paint.image(world.topology, painting.codes), :3]


def tick(view, panel=0) -> int:
    """Return the tick that a view says it shows."""
    words = view.locator(".panel > output").nth(panel).inner_text()
    return int(words.split("·")[0].replace("tick", "").replace(",", ""))


def until(condition, seconds=30, what="nothing happened"):
    """Wait for something, for so long at most; return what it became."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Return the address and folder of a JupyterLab whose kernels are of this interpreter."""
    folder, port = tmp_path_factory.mktemp("lab"), free_port()
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}", "--allow-root",
               "--ServerApp.token=", "--ServerApp.password=", f"--ServerApp.root_dir={folder}",
               "--LabApp.news_url=null", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
               "--expose-app-in-browser"]
    process = serve(command, port, folder, JUPYTER_CONFIG_DIR=folder / "config", JUPYTER_DATA_DIR=folder / "data",
                    JUPYTER_RUNTIME_DIR=folder / "runtime", IPYTHONDIR=folder / "ipython", MPLBACKEND="agg")
    yield f"http://127.0.0.1:{port}", folder
    stop(process)
