"""Measure the live view: what a frame costs, how many reach a real browser, and what an hour of play leaves behind.

``python benchmarks/view.py`` prints the tables; ``--write`` also puts them into RESULTS-view.md beside this file;
``--minutes 60`` plays so long in JupyterLab and notes the memory of kernel and page. It needs what the tests in
tests/browser need: the extras ``app``, ``notebook`` and ``browser``, and a Chromium.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from bench import Others, Report, machine

import organism as og

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browser.pages import Notebook, open_browser, start_lab, stop, tick  # noqa: E402

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


def in_lab(browser, lab, side, looks, more=""):
    """Return frames a second that the page drew while it played, ticks a second, by looks of two seconds."""
    book = Notebook(lab, browser, f"bench-{side}-{len(more)}", START.format(side=side, more=more))
    try:
        book.press("play")
        time.sleep(3)
        frames, ticks = [], []
        for _ in range(looks):
            start, before = time.perf_counter(), tick(book.view)
            time.sleep(2)
            ticks.append((tick(book.view) - before) / (time.perf_counter() - start))
            frames.append(float(book.view.locator(".rate").get_attribute("data-frames") or 0))
        return frames, ticks
    finally:
        book.close()


def kernel_megabytes(book):
    """Return the memory of the kernel, resident, and that of the page's script."""
    text = book.ask("print(open('/proc/self/statm').read().split()[1])")
    page = book.page.evaluate("performance.memory ? performance.memory.usedJSHeapSize : 0")
    return int(text) * os.sysconf("SC_PAGESIZE") / 1e6, page / 1e6


def an_hour(browser, lab, minutes, side=48):
    """Return what memory was each minute of play: minute, frames so far, ticks so far, MB of kernel, MB of the page."""
    book, seen = Notebook(lab, browser, "hour", START.format(side=side, more="") + "\n"), []
    try:
        book.ask("shown.speed = 30; shown.flows = True; shown.select(100)")     # leaves the machine to others
        book.press("play")
        for minute in range(minutes + 1):
            end = time.monotonic() + 60
            kernel, page = kernel_megabytes(book)
            seen.append((minute, int(book.ask("print(shown._number)")), tick(book.view), kernel, page))
            print(*(f"{value:,.0f}" for value in seen[-1]), flush=True)
            if minute < minutes:
                time.sleep(max(0, end - time.monotonic()))
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
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
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
                    frames, ticks = in_lab(browser, lab, side, args.looks, more)
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
                seen = an_hour(browser, lab, args.minutes)
                few = seen[::max(1, len(seen) // 12)]
                report.table("Memory while playing 48×48 with flows and a member shown",
                             ["minute", "frames", "ticks", "kernel, MB", "page's script, MB"],
                             [[f"{value:,.0f}" for value in one] for one in few])
                later = np.array(seen[len(seen) // 6:])
                slope = np.polyfit(later[:, 0], later[:, 3:], 1)[0] * 60
                report.say(f"\nAfter the first sixth: kernel {slope[0]:+.1f} MB an hour, page {slope[1]:+.1f} MB "
                           "an hour (least squares).")
        finally:
            stop(process)
    if report.promises:
        report.table("Promises", ["what", "promised", "measured", "kept"], report.promises)
    if args.write:
        Path(__file__).with_name("RESULTS-view.md").write_text("\n".join(report.lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
