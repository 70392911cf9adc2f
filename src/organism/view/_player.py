"""What steps the worlds of a view in the background, no faster than somebody looks.

One thread, while it plays; one lock, so that worlds are only read and changed between
two ticks. A frame goes out at most sixty times a second, and only while few are on their
way: a slow page slows the frames, and draws only the latest. Where a page looked on and
is silent now (closed, or in a hidden tab) stepping waits until it is back.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time

__all__ = ["FASTEST", "SLOWEST", "Player"]

#: Seconds: between two frames; of lag that is made up for; that a frame waits for a page that is busy; of silence
#: after which nobody looks.
FRAME, LAG, LATE, SILENCE = 1 / 60, 0.1, 0.25, 8.0
#: Ticks a second: the slowest, and from where on it goes as fast as it can.
SLOWEST, FASTEST = 0.1, 10_000.0
#: Frames on their way to the page, which tells some five times a second what it has drawn.
AHEAD = 20


class Player:
    """Steps worlds in a thread of its own.

    Parameters
    ----------
    advance : callable
        Called with a number of ticks.
    show : callable
        Sends a frame; returns its number.
    failed : callable
        Called with the exception that ended the playing.
    """

    def __init__(self, advance, show, failed):
        self.lock = threading.RLock()
        self._advance, self._show, self._failed = advance, show, failed
        self._stop, self._news = threading.Event(), threading.Event()
        self._drawn: dict[str, tuple[int, float]] = {}      # of each page: the last frame it drew, and when it spoke
        self._looked = False                                # whether any page ever did
        self._answered = 0.0                                # when the thread that hears pages last did anything
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self.speed = 100.0

    # -- pages ----------------------------------------------------------------------------

    def heard(self, page: str, number: int | None = None) -> None:
        """Note that a page has drawn a frame, or is there."""
        if number is None:
            number = self._drawn.get(page, (0, 0))[0]
        self._drawn[page], self._looked = (number, time.monotonic()), True
        self._news.set()

    def gone(self, page: str) -> bool:
        """Note that a page is closed; return whether it was the last."""
        self._drawn.pop(page, None)
        self._news.set()
        return not self._drawn

    def _looking(self) -> bool:
        """Tell whether somebody looks on, as far as is known: without pages the view is played by a program."""
        if not self._looked:
            return True
        now = time.monotonic()
        silent = min((now - when for _, when in self._drawn.values()), default=SILENCE)
        if silent < SILENCE:
            return True
        if self._loop is not None and self._drawn:
            # A cell that runs keeps the kernel from hearing its pages: then silence says nothing.
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(lambda: setattr(self, "_answered", time.monotonic()))
            return self._answered < max(when for _, when in self._drawn.values()) + SILENCE
        return False

    def _await_page(self, number: int, stop) -> None:
        """Wait until a page has drawn all but the last frames, or is late."""
        end = time.monotonic() + LATE
        while self._drawn and not stop.is_set():
            now = time.monotonic()
            there = [drawn for drawn, when in self._drawn.values() if now - when < SILENCE]
            if not there or min(there) > number - AHEAD or now > end:
                return
            self._news.clear()
            self._news.wait(end - now)

    def is_behind(self, number: int) -> bool:
        """Tell whether too many frames are on their way to a page that is there."""
        now = time.monotonic()
        there = [drawn for drawn, when in self._drawn.values() if now - when < SILENCE]
        return bool(there) and min(there) <= number - AHEAD

    # -- playing ----------------------------------------------------------------------------

    def play(self) -> None:
        """Start; what played before is stopped."""
        with self.lock:
            self._stop.set()
            stop = self._stop = threading.Event()
            threading.Thread(target=self._run, args=[stop], name="view", daemon=True).start()

    def stop(self) -> None:
        """Stop; no tick is begun after this returns."""
        self._stop.set()
        self._news.set()
        with self.lock:                         # once had, the thread is between two ticks, and sees that it must stop
            self._stop.set()

    def _run(self, stop) -> None:
        try:
            self._play(stop)
        except Exception as error:              # a measure or a model of somebody's own
            if not stop.is_set():
                self._failed(error)

    def _play(self, stop) -> None:
        clock, owed, chunk = time.perf_counter(), 0.0, 1
        while not stop.is_set():
            if not self._looking():
                self._news.clear()
                self._news.wait(0.5)
                clock = time.perf_counter()
                continue
            with self.lock:
                if stop.is_set():
                    return
                began = before = time.perf_counter()
                pace = math.inf if self.speed >= FASTEST else self.speed
                owed = pace if pace == math.inf else min(owed + pace * (began - clock), max(1.0, pace * LAG))
                clock, moved = began, False
                while owed >= 1 and before < began + FRAME and not stop.is_set():
                    n = int(min(owed, chunk))
                    self._advance(n)
                    owed, last, before, moved = owed - n, before, time.perf_counter(), True
                    chunk = max(1, min(int(n * FRAME / 2 / max(before - last, 1e-9)), 4 * chunk, 1000))
                number = self._show() if moved and not stop.is_set() else None
            if number is not None:
                self._await_page(number, stop)
            # Until the next frame is due, or the next tick is owed.
            due = FRAME if owed >= 1 else max(FRAME, (1 - owed) / pace)
            stop.wait(max(0.001, began + min(due, 0.1) - time.perf_counter()))
