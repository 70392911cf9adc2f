"""``organism app``: the web page, served by this computer alone."""

from __future__ import annotations

import importlib.util
import os
import socket
import threading
import time
import webbrowser
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

from ..params import Params
from .options import Mistake, count

__all__ = ["add", "serve"]

PORT = 8765
#: What the page needs beside Mesa itself: as it is imported, or else as it is installed.
NEEDED = ("solara", "ipyvuetify", "altair", "anywidget", "uvicorn")


def add(commands) -> None:
    """Add the command to the commands of a parser."""
    parser = commands.add_parser(
        "app", help="open the web page: worlds to run and play with, and the claim cards",
        description="Open a page in the browser: worlds to run and play with, claim cards with their recorded "
                    "results. This computer serves it, and nothing is fetched from the internet. Ctrl-C ends it.")
    parser.add_argument("file", metavar="FILE", nargs="?",
                        help="a page of your own instead: a Python file with a SolaraViz page, such as "
                             "examples/contagion/app.py")
    parser.add_argument("--preset", metavar="NAME", help="the parameter set to begin with (default: organic)")
    parser.add_argument("--port", metavar="N", type=count(1, 65535), default=PORT,
                        help=f"port of the page's address (default: {PORT})")
    parser.add_argument("--host", metavar="NAME", default="localhost",
                        help="who may see it: localhost (default) is this computer alone, 0.0.0.0 everybody who can "
                             "reach it")
    parser.add_argument("--no-open", action="store_true", help="open no browser")
    parser.set_defaults(call=serve)


def serve(options) -> int:
    """Serve the page until Ctrl-C; return the exit code."""
    address = _address(options)
    _needed()
    with _listen(options.host, options.port) as door:
        _settle(options.file)
        import uvicorn

        server = uvicorn.Server(uvicorn.Config("solara.server.starlette:app", log_level="error",
                                               timeout_graceful_shutdown=1))
        print(f"organism: {options.file or 'the page'} is at {address} (Ctrl-C ends it)", flush=True)
        if not options.no_open:
            threading.Thread(target=_open, args=[server, address], daemon=True).start()
        try:
            server.run(sockets=[door])
        except KeyboardInterrupt:
            pass
    print("organism: the page is closed", flush=True)
    _end()
    return 0


def _address(options) -> str:
    """Check what was asked for and return the page's address."""
    if options.file is not None:
        if options.preset is not None:
            raise Mistake("--preset is for organism's own page; a FILE has its own parameters")
        if not Path(options.file).is_file() or Path(options.file).suffix not in (".py", ".ipynb"):
            raise Mistake(f"FILE must be a Python file or a notebook that is there, not {options.file!r}")
    elif options.preset is not None:
        try:
            Params.preset(options.preset)
        except ValueError as error:
            raise Mistake(f"{error} ('organism presets' lists them)") from None
    host = "localhost" if options.host in ("0.0.0.0", "::") else options.host
    return f"http://{host}:{options.port}/" + ("" if options.preset is None else f"?preset={quote(options.preset)}")


def _needed() -> None:
    """Refuse to begin without the libraries of the page."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if _assets() is None:
        missing.append("solara-assets")
    if missing:
        raise Mistake(f"the page needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
                      "installed: pip install \"organism-abm[app]\"")
    version = metadata.version("ipyvuetify")
    if int(version.partition(".")[0]) >= 3:
        raise Mistake(f"Mesa's page needs an ipyvuetify below 3, and this is {version}: pip install \"ipyvuetify<3\"")


def _assets() -> Path | None:
    """Return the folder of the scripts and fonts that Solara would else fetch from the internet."""
    try:
        files = metadata.files("solara-assets") or []
    except metadata.PackageNotFoundError:
        return None
    one = next((file for file in files if "solara/cdn/" in file.as_posix()), None)
    if one is None:
        return None
    path = Path(one.locate()).resolve()
    return next((folder for folder in path.parents if folder.name == "cdn"), None)


def _settle(file: str | None) -> None:
    """Tell Solara, which reads its environment when it is imported, what to serve and to stay offline."""
    os.environ |= {"SOLARA_APP": file or "organism.app", "SOLARA_MODE": "production",
                   "SOLARA_ASSETS_PROXY_CACHE_DIR": str(_assets()), "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",
                   "SOLARA_CHECK_HOOKS": "off",
                   "SOLARA_THEME_SHOW_BANNER": "False", "SOLARA_THEME_TITLE": "organism"}


def _listen(host: str, port: int) -> socket.socket:
    """Take the port, so that it is ours before anything is loaded."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM,
                                                         flags=socket.AI_PASSIVE)[0]
        door = socket.socket(family, kind)
    except OSError as error:
        raise Mistake(f"--host must be a name or address of this computer, not {host!r} ({error.strerror})") from None
    try:
        if os.name == "posix":
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(address)
        door.listen()           # else a port that somebody else has bound, but does not listen on yet, would do
    except OSError as error:
        door.close()
        if isinstance(error, PermissionError):
            raise Mistake(f"--port {port} may not be used by you; ports from 1024 on may") from None
        raise Mistake(f"port {port} of {host} cannot be had ({error.strerror}); give another --port") from None
    return door


def _end() -> None:
    """Close the pages, and leave at once if a page's thread steps on: Mesa's would keep the process alive."""
    from solara.server import kernel_context

    for context in list(kernel_context.contexts.values()):
        context.close()
    end = time.monotonic() + 1
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0, end - time.monotonic()))
            if thread.is_alive():
                os._exit(0)


def _open(server, address: str) -> None:
    """Open a browser once the page is there."""
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.05)
    webbrowser.open(address)
