"""Engines of sweeps: serial, processes by loky, any executor, Dask; each hands over every run once."""

from __future__ import annotations

import concurrent.futures as cf
import itertools
import os
import shutil
import signal
import tempfile
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterable

from ._checks import undisturbed
from ._runs import LARGEST, Outcome, Plan, Task, execute, in_turn, late
from ._store import StoreError

__all__ = ["parallel", "serial"]

#: A batch of short runs should take this long, in seconds.
BATCH = .25
#: How often a run may take its worker process with it.
DEATHS = 3


def serial(plan: Plan, tasks: Iterable[Task], store, progress) -> None:
    """Do the runs here, one after the other."""
    begun = [None]

    def noted():
        for task in tasks:
            begun[0] = task, time.time()
            yield task

    progress.running = lambda: [begun[0]] if begun[0] else []
    in_turn(plan, noted(), store, progress.deliver, BATCH)


class _Loky:
    """Our own processes, which can be killed and replaced."""

    def __init__(self, workers: int):
        self.workers, self.notes = workers, tempfile.mkdtemp(prefix="organism-sweep-")
        self.start()

    def start(self):
        import loky

        self.executor = loky.ProcessPoolExecutor(self.workers, timeout=300, initializer=_attend,
                                                 initargs=(os.getpid(), self.notes))

    def restart(self, error):
        self.executor.shutdown(wait=True, kill_workers=True)
        shutil.rmtree(self.notes, ignore_errors=True)
        os.makedirs(self.notes)
        self.start()

    def check(self):
        pass

    def running(self) -> dict[str, tuple[int, float]]:
        """Return process and start of the runs that were begun and not ended, by key."""
        found = {}
        for name in os.listdir(self.notes) if os.path.isdir(self.notes) else ():
            try:
                with open(os.path.join(self.notes, name)) as file:
                    words = file.read().split()
                if len(words) == 2:
                    found[words[0]] = int(name), float(words[1])
            except (OSError, ValueError):
                continue
        return found

    def close(self):
        self.executor.shutdown(wait=True, kill_workers=True)
        shutil.rmtree(self.notes, ignore_errors=True)


def _attend(parent: int, notes: str) -> None:
    """Leave Ctrl-C to the sweep's process, and end when it does, whatever killed it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch():
        while os.getppid() == parent:
            time.sleep(.5)
        shutil.rmtree(notes, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class _Given:
    """An executor of the user's, which outlives the sweep."""

    notes = None

    def __init__(self, executor):
        self.executor, self.workers = executor, getattr(executor, "_max_workers", None) or os.cpu_count() or 1
        self.client = None
        if type(executor).__module__.startswith("distributed") and not isinstance(executor, cf.Executor):
            self.client, self.workers = executor, max(1, sum(executor.nthreads().values()))
            self.executor = executor.get_executor(pure=False)
        if not callable(getattr(self.executor, "submit", None)):
            raise TypeError("executor must be a concurrent.futures.Executor or a Dask Client, not "
                            f"{type(executor).__name__}")

    def check(self):
        """Notice that Dask's scheduler is gone, on which futures only say that they were cancelled."""
        if self.client is not None and self.client.status != "running":
            self.restart(None)

    def restart(self, error):
        raise RuntimeError("the executor broke, and only its owner can replace it; what is in the store is kept: "
                           "make a new executor and run the same call again") from error

    def running(self):
        return {}

    def close(self):
        pass


def parallel(plan: Plan, tasks: Iterable[Task], count: int, store, progress, *, workers=None, executor=None) -> None:
    """Do the runs, of which there are ``count``, in worker processes, a bounded number of batches at a time.

    A run whose process dies is repeated, the last time with no other run beside it; a run
    that hangs beyond its time limit in our own processes dies with its process.
    """
    import cloudpickle

    threads = isinstance(executor, cf.ThreadPoolExecutor)
    shipped = plan if threads else (uuid.uuid4().hex, cloudpickle.dumps(plan))
    pool = _Loky(workers) if executor is None else _Given(executor)
    fresh, again, suspects = iter(tasks), deque(), deque()
    deaths: dict[str, int] = {}
    running: dict[cf.Future, list[Task]] = {}
    typical, started = None, 0

    def submit(batch):
        try:
            running[pool.executor.submit(execute, shipped, batch, store, pool.notes)] = batch
        except cf.BrokenExecutor as error:  # it broke between two looks
            pool.restart(error)
            submit(batch)

    def take() -> list[Task]:
        """Return the next batch: first runs that were begun before, then fresh ones."""
        nonlocal started
        size = 1
        if typical is not None:
            fair = max(1, (count - started + len(again)) // (2 * pool.workers))
            size = max(1, min(LARGEST, fair, int(BATCH / max(typical, 1e-6))))
        batch = [again.popleft() for _ in range(min(size, len(again)))]
        new = list(itertools.islice(fresh, size - len(batch)))
        started += len(new)
        return batch + new

    def begun() -> list[tuple[Task, float]]:
        notes, known = pool.running(), {task.key: task for batch in list(running.values()) for task in batch}
        return [(known[name], since) for name, (_, since) in notes.items() if name in known]

    progress.running = begun

    def lost(batches, error):
        """Sort out the runs of batches that came to nothing: late, to blame perhaps, or innocent."""
        notes = pool.running()
        for task in (task for batch in batches for task in batch):
            note = notes.get(task.key)
            if note and plan.time_limit and time.time() - note[1] > plan.time_limit:
                deliver_error(task, late(plan.time_limit), time.time() - note[1])
            elif note or pool.notes is None:
                deaths[task.key] = deaths.get(task.key, 0) + 1
                if deaths[task.key] >= DEATHS:
                    deliver_error(task, ("WorkerDied", f"its worker process died {DEATHS} times: killed, out of "
                                         f"memory, or a crash in compiled code ({type(error).__name__})", ""), 0.)
                elif deaths[task.key] == DEATHS - 1:
                    suspects.append(task)
                else:
                    again.append(task)
            else:
                again.append(task)

    def deliver_error(task, error, seconds):
        outcome = Outcome(task.key, task.replicate, task.seed, task.point, None, seconds, error)
        if store is not None:
            store.write([outcome])
        progress.deliver([outcome])

    try:
        while True:
            while len(running) < 2 * pool.workers + 1 and (batch := take()):
                submit(batch)
            if suspects and not running:
                submit([suspects.popleft()])
            if not running:
                break
            done, _ = cf.wait(running, timeout=.5, return_when=cf.FIRST_COMPLETED)
            pool.check()
            broken, batches = None, []
            for future in done:
                batch = running[future]
                try:
                    outcomes = future.result()
                except StoreError:
                    raise
                except (Exception, cf.CancelledError) as error:
                    broken = error if isinstance(error, cf.BrokenExecutor) else broken
                    if not isinstance(error, cf.BrokenExecutor) and not _died(error):
                        raise
                    del running[future]
                    batches.append((batch, error))
                    continue
                mean = sum(o.seconds for o in outcomes) / len(outcomes)
                typical = mean if typical is None else .7 * typical + .3 * mean
                with undisturbed():
                    del running[future]
                    progress.deliver(outcomes)
            if broken is not None:  # then every batch in flight is lost or just done
                cf.wait(running, timeout=30)
                for future, batch in list(running.items()):
                    if future.done() and not future.cancelled() and future.exception() is None:
                        progress.deliver(future.result())
                    else:
                        batches.append((batch, broken))
                running.clear()
            for batch, error in batches:
                lost([batch], error)
            if broken is not None:
                pool.restart(broken)
            if plan.time_limit and pool.notes is not None:
                for pid, start in pool.running().values():  # the signal did not help: compiled code hangs
                    if time.time() - start > 1.25 * plan.time_limit + 1:
                        _kill(pid)
    finally:
        for future in running:
            future.cancel()
        for future in running:  # what was done meanwhile counts
            if future.done() and not future.cancelled() and future.exception() is None:
                progress.deliver(future.result())
        pool.close()


def _died(error) -> bool:
    """Tell a worker's death from a fault of ours; Dask says KilledWorker."""
    return type(error).__name__ in ("KilledWorker", "CancelledError", "FutureCancelledError", "CommClosedError")


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
