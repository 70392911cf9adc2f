"""Measure the live view: what a frame costs, how many reach a real browser, and what an hour of play leaves behind.

``python benchmarks/view.py`` prints the tables; ``--write`` also puts them into RESULTS-view.md beside this file;
``--minutes 60`` plays so long in JupyterLab and notes the memory of kernel and page. It needs what the tests in
tests/browser need: the extras ``app``, ``notebook`` and ``browser``, and a Chromium.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
import psutil
from bench import Others, Report, machine

import organism as og

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browser.pages import (  # noqa: E402
    KERNEL_IS_THERE,
    Kernel,
    chromium,
    free_port,
    start_lab,
    stop,
    until,
    write_notebook,
)

DIALOG = "void document.querySelector('.jp-Dialog button.jp-mod-accept')?.click()"      # which kernel? this one
START = ("import organism as og\nworld = og.World(og.Topology.grid(({side}, {side})), rng=1)\n"
         "shown = og.view(world, {more})\nshown.speed = 1000\nshown")


def parts(side, rounds=30):
    """Return the milliseconds of processor that the parts of a frame take in Python, the median of some rounds."""
    view = og.view(og.World(og.Topology.grid((side, side)), rng=1), field="task")
    view.step(20)
    one, took = view._subjects[0], {}

    def timed(name, call):
        seconds = []
        for _ in range(rounds):
            start = time.thread_time()
            call()
            seconds.append(time.thread_time() - start)
        took[name] = 1e3 * float(np.median(seconds))
    timed("a tick", lambda: one.step(1))
    timed("paint task", lambda: one.paint("task"))
    timed("paint dominant_task", lambda: one.paint("dominant_task"))
    timed("paint welfare", lambda: one.paint("welfare"))
    timed("all four measures", lambda: [measure(one.world) for measure in view._series.measures.values()])
    timed("flows", one.flows)
    timed("a whole frame, measures aside", view._show)
    view.close()
    return took


class Page:
    """A notebook open in a Chromium that is only asked now and then.

    Playwright would listen to every message between page and kernel, which slows the page and keeps them all.
    """

    def __init__(self, lab, name, code):
        import websocket

        address, folder = lab
        write_notebook(folder / f"{name}.ipynb", code)
        before, port = set(folder.glob("runtime/kernel-*.json")), free_port()
        self.process = subprocess.Popen(
            [chromium(), "--headless", "--no-sandbox", f"--remote-debugging-port={port}", "--window-size=1300,1500",
             "--remote-allow-origins=*", "--enable-precise-memory-info", f"--user-data-dir={folder / name}",
             f"{address}/lab/tree/{name}.ipynb?reset"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            target = until(lambda: self._target(port), 60)
            self.line, self.asked = websocket.create_connection(target, timeout=60), 0
            until(lambda: self.ask_page(KERNEL_IS_THERE), 90)
            self.ask_page("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
            self.ask_page(DIALOG)
            until(lambda: self.tick() is not None, 90)
            [file] = set(folder.glob("runtime/kernel-*.json")) - before
            self.kernel = Kernel(file)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _target(port):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=5) as answer:
                return next(one["webSocketDebuggerUrl"] for one in json.load(answer) if one["type"] == "page")
        except (OSError, StopIteration):
            return None

    def ask_page(self, script):
        """Return what a script comes to on the page."""
        self.asked += 1
        self.line.send(json.dumps({"id": self.asked, "method": "Runtime.evaluate",
                                   "params": {"expression": script, "returnByValue": True}}))
        while (answer := json.loads(self.line.recv())).get("id") != self.asked:
            pass
        return answer["result"]["result"].get("value")

    def press(self, name):
        """Press a button of the view."""
        self.ask_page(f"document.querySelector('.organism-view button[aria-label=\"{name}\"]').click()")

    def tick(self):
        """Return the tick that is shown."""
        words = self.ask_page("document.querySelector('.organism-view .panel > output')?.textContent") or ""
        return int(words.split("·")[0].removeprefix("tick").replace(",", "")) if words else None

    def frames(self):
        """Return the frames a second that the page says it draws."""
        return float(self.ask_page("document.querySelector('.organism-view .rate')?.dataset.frames") or 0)

    def megabytes(self):
        """Return the memory of the kernel, resident; of the page's process, resident; and of its scripts."""
        pages = int(self.kernel.ask("print(open('/proc/self/statm').read().split()[1])"))
        mine = psutil.Process(self.process.pid).children(recursive=True)
        renderer = max((one.memory_info().rss for one in mine if "--type=renderer" in one.cmdline()), default=0)
        heap = self.ask_page("performance.memory.usedJSHeapSize")
        return pages * os.sysconf("SC_PAGESIZE") / 1e6, renderer / 1e6, heap / 1e6

    def close(self):
        """Close page and kernel."""
        if hasattr(self, "kernel"):
            self.kernel.shut_down()
        self.process.terminate()
        self.process.wait(30)


def in_lab(lab, side, looks, more=""):
    """Return frames a second that the page drew while it played, ticks a second, by looks of two seconds."""
    book = Page(lab, f"bench-{side}-{len(more)}", START.format(side=side, more=more))
    try:
        book.press("play")
        time.sleep(3)
        frames, ticks = [], []
        for _ in range(looks):
            start, before = time.perf_counter(), book.tick()
            time.sleep(2)
            ticks.append((book.tick() - before) / (time.perf_counter() - start))
            frames.append(book.frames())
        return frames, ticks
    finally:
        book.close()


def an_hour(lab, minutes, side=48):
    """Return what memory was each minute of play: minute, frames and ticks so far, MB of kernel, page and scripts."""
    book, seen = Page(lab, "hour", START.format(side=side, more="")), []
    try:
        book.kernel.ask("shown.speed = 30; shown.flows = True; shown.select(100)")     # leaves the machine to others
        book.press("play")
        start = time.monotonic()
        for minute in range(minutes + 1):
            time.sleep(max(0, start + 60 * minute - time.monotonic()))
            seen.append((minute, int(book.kernel.ask("print(shown._number)")), book.tick(), *book.megabytes()))
            print(*(f"{value:,.0f}" for value in seen[-1]), flush=True)
        return seen
    finally:
        book.close()


def main(argv=None):
    """Measure and print everything."""
    parser = argparse.ArgumentParser(description="Measure the live view.")
    parser.add_argument("--write", action="store_true", help="write RESULTS-view.md beside this file")
    parser.add_argument("--minutes", type=int, default=0, help="also play so long, and note the memory")
    parser.add_argument("--memory-only", action="store_true", help="leave the other tables out")
    parser.add_argument("--looks", type=int, default=8, help="of two seconds each")
    args = parser.parse_args(argv)
    report, others = Report(), Others()
    report.say("# Benchmark results of the live view\n")
    report.say(f"`python benchmarks/view.py{f' --minutes {args.minutes}' * bool(args.minutes)}` on "
               f"{datetime.date.today()}.")
    report.table("Machine", ["what", "value"], machine())
    with tempfile.TemporaryDirectory() as folder:
        if not args.memory_only:
            cost = [parts(side) for side in (64, 256)]
            report.table("Milliseconds of processor in Python", ["what", "64×64", "256×256"],
                         [[name, *(f"{one[name]:.2f}" for one in cost)] for name in cost[0]])
            report.say("\nA page gets one byte a site and 1 kB of colours a frame; other processes kept "
                       f"{others.cores():.2f} cores busy.")
        process, address = start_lab(Path(folder))
        try:
            lab = address, Path(folder)
            if not args.memory_only:
                rows = []
                for side, more, what in ((64, "", "one world, four measures"), (256, "", "one world, four measures"),
                                         (256, "series=None", "no measures"),
                                         (256, "world.fork(), series=None", "two worlds, no measures")):
                    meanwhile = Others()
                    frames, ticks = in_lab(lab, side, args.looks, more)
                    rows.append([f"{side}×{side}", what, f"{np.median(frames):.0f}",
                                 f"{min(frames):.0f} to {max(frames):.0f}", f"{np.median(ticks):.0f}",
                                 f"{meanwhile.cores():.2f}"])
                    if (side, what) == (256, "one world, four measures"):
                        report.promise("256×256 in JupyterLab, stepping", float(np.median(frames)), 30, True, "/s")
                report.table("End to end: JupyterLab in headless Chromium, while stepping as fast as it can",
                             ["world", "shown", "frames/s", "range", "ticks/s", "other cores busy"], rows)
                report.say("\nOther cores are those of the kernel, the server, the browser and everybody else. Each "
                           "frame is of a later tick than the one before.")
            if args.minutes:
                seen = an_hour(lab, args.minutes)
                few = seen[::max(1, len(seen) // 12)]
                report.table("Memory while playing 48×48 with flows and a member shown",
                             ["minute", "frames", "ticks", "kernel, MB", "page's process, MB", "its scripts, MB"],
                             [[f"{value:,.0f}" for value in one] for one in few])
                later = np.array(seen[len(seen) // 6:])
                slope = np.polyfit(later[:, 0], later[:, 3:], 1)[0] * 60
                report.say(f"\nAfter the first sixth: kernel {slope[0]:+.1f} MB an hour, page's process "
                           f"{slope[1]:+.1f}, its scripts {slope[2]:+.1f} (least squares).")
        finally:
            stop(process)
    if report.promises:
        report.table("Promises", ["what", "promised", "measured", "kept"], report.promises)
    if args.write:
        Path(__file__).with_name("RESULTS-view.md").write_text("\n".join(report.lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
