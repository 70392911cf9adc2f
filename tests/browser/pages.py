"""What the browser tests work with: servers, pages, notebooks, and what a canvas really shows."""

import functools
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

SHOTS = Path(os.environ.get("ORGANISM_SCREENSHOTS", Path(__file__).parents[2] / "build" / "browser"))


@functools.cache
def chromium() -> str | None:
    """Return the browser to use."""
    for name in (os.environ.get("ORGANISM_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        if name and (found := shutil.which(name)):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


@contextmanager
def open_browser():
    """Open a headless Chromium for a while."""
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


def start_lab(folder):
    """Start a JupyterLab in a folder; return process and address."""
    port = free_port()
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}", "--allow-root",
               "--ServerApp.token=", "--ServerApp.password=", f"--ServerApp.root_dir={folder}",
               "--LabApp.news_url=null", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
               "--expose-app-in-browser"]
    process = serve(command, port, folder, JUPYTER_CONFIG_DIR=folder / "config", JUPYTER_DATA_DIR=folder / "data",
                    JUPYTER_RUNTIME_DIR=folder / "runtime", IPYTHONDIR=folder / "ipython", MPLBACKEND="agg")
    return process, f"http://127.0.0.1:{port}"


#: Whether the notebook that is shown has a kernel it can talk to.
KERNEL_IS_THERE = """(() => {
    const about = window.jupyterapp?.shell.currentWidget?.sessionContext;
    return !!about?.isReady && about.session?.kernel?.connectionStatus === "connected"; })()"""


def write_notebook(path, code):
    """Write a notebook of one cell."""
    import nbformat

    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)], metadata={
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}), path)


class Kernel:
    """A kernel that pages use, to talk to beside them."""

    def __init__(self, file):
        self.file = file

    @contextmanager
    def _client(self):
        """Speak with it, and hang up: who stays on the line gets all frames, and misses answers among them."""
        from jupyter_client import BlockingKernelClient

        client = BlockingKernelClient(connection_file=str(self.file))
        client.load_connection_file()
        client.start_channels()
        try:
            until(lambda: self._hears(client), what="the kernel does not answer")
            yield client
        finally:
            client.stop_channels()

    @staticmethod
    def _hears(client) -> bool:
        """Tell whether what the kernel publishes reaches us. (A client's own wait is for silence: here is none.)"""
        from queue import Empty

        question, end = client.kernel_info(), time.monotonic() + 2
        try:
            while time.monotonic() < end:
                if client.get_iopub_msg(timeout=1)["parent_header"].get("msg_id") == question:
                    return True
        except Empty:
            pass
        return False

    def ask(self, code, seconds=30):
        """Run code; return what it printed."""
        said = []

        def hear(message):
            if message["msg_type"] == "stream":
                said.append(message["content"]["text"])
            elif message["msg_type"] == "error":
                said.append("\n".join(message["content"]["traceback"]))
        with self._client() as client:
            client.execute_interactive(code, output_hook=hear, timeout=seconds)
        return "".join(said).strip()

    def shut_down(self):
        """End it."""
        with self._client() as client:
            client.shutdown()


class Notebook:
    """A notebook that is open in the browser, and its kernel."""

    def __init__(self, lab, browser, name, code):
        address, folder = lab
        write_notebook(folder / f"{name}.ipynb", code)
        before = set(folder.glob("runtime/kernel-*.json"))
        self.window = Window(browser)
        self.page = self.window.page
        self.page.goto(f"{address}/lab/tree/{name}.ipynb?reset", timeout=60_000)
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        self.page.wait_for_function(KERNEL_IS_THERE, timeout=60_000)
        if (dialog := self.page.locator(".jp-Dialog button.jp-mod-accept")).count():     # which kernel? this one
            dialog.click()
        self.page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        try:
            self.page.wait_for_selector(".organism-view .panel > output:has-text('tick')", timeout=60_000)
        except Exception:
            self.window.shot(f"{name}-failed")
            raise
        self.view = self.page.locator(".organism-view")
        [file] = set(folder.glob("runtime/kernel-*.json")) - before
        self.kernel = Kernel(file)
        self.ask = self.kernel.ask

    def press(self, name):
        """Press a button of the view."""
        self.view.get_by_role("button", name=name, exact=True).click()

    def close(self):
        """Close page and kernel."""
        self.kernel.shut_down()
        if not self.page.is_closed():
            self.window.close()
