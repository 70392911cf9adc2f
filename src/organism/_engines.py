"""Engines of sweeps: serial, processes by loky, any executor, Dask; each hands over every run once."""

from __future__ import annotations

import concurrent.futures as cf
import os
import shutil
import signal
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Callable

from ._runs import Outcome, Plan, Task, execute, late, run_one
from ._store import StoreError

__all__ = ["parallel", "serial"]

#: A batch of short runs should take this long, in seconds, and hold at most so many runs.
BATCH, LARGEST = .25, 500
#: How often a run may take its worker process with it.
DEATHS = 3


def serial(plan: Plan, tasks: list[Task], store, deliver: Callable) -> None:
    """Do the runs here, one after the other; what is done is handed over even if this is interrupted."""
    done: list[Outcome] = []
    since = time.perf_counter()

    def hand_over():
        if done:
            if store is not None:
                store.write(done)
            deliver([o._replace(rows=None) for o in done] if store is not None else list(done))
            done.clear()

    try:
        for task in tasks:
            done.append(run_one(plan, task))
            if len(done) >= LARGEST or time.perf_counter() - since > BATCH:
                hand_over()
                since = time.perf_counter()
    finally:
        hand_over()


class _Loky:
    """Our own processes, which can be killed and replaced."""

    def __init__(self, workers: int):
        self.workers, self.notes = workers, tempfile.mkdtemp(prefix="organism-sweep-")
        self.start()

    def start(self):
        import loky

        self.executor = loky.ProcessPoolExecutor(self.workers, timeout=300, initializer=signal.signal,
                                                 initargs=(signal.SIGINT, signal.SIG_IGN))

    def restart(self, error):
        self.executor.shutdown(wait=True, kill_workers=True)
        shutil.rmtree(self.notes, ignore_errors=True)
        os.makedirs(self.notes)
        self.start()

    def running(self) -> dict[str, tuple[int, float]]:
        """Return process and start of the runs that were begun and not ended, by key."""
        found = {}
        for name in os.listdir(self.notes):
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


class _Given:
    """An executor of the user's, which outlives the sweep."""

    notes = None

    def __init__(self, executor):
        self.executor, self.workers = executor, getattr(executor, "_max_workers", None) or os.cpu_count() or 1
        if type(executor).__module__.startswith("distributed") and not isinstance(executor, cf.Executor):
            self.workers = max(1, sum(executor.nthreads().values()))
            self.executor = executor.get_executor(pure=False)
        if not callable(getattr(self.executor, "submit", None)):
            raise TypeError("executor must be a concurrent.futures.Executor or a Dask Client, not "
                            f"{type(executor).__name__}")

    def restart(self, error):
        raise RuntimeError("the executor broke, and only its owner can replace it; what is in the store is kept: "
                           "make a new executor and run the same call again") from error

    def running(self):
        return {}

    def close(self):
        pass


def parallel(plan: Plan, tasks: list[Task], store, deliver: Callable, *, workers=None, executor=None) -> None:
    """Do the runs in worker processes, a bounded number of batches at a time.

    A run whose process dies is repeated, the last time with no other run beside it; a run
    that hangs beyond its time limit in our own processes dies with its process.
    """
    import cloudpickle

    threads = isinstance(executor, cf.ThreadPoolExecutor)
    shipped = plan if threads else (uuid.uuid4().hex, cloudpickle.dumps(plan))
    pool = _Loky(workers) if executor is None else _Given(executor)
    waiting, suspects = deque(tasks), deque()
    deaths: dict[str, int] = {}
    running: dict[cf.Future, list[Task]] = {}
    typical = None

    def submit(batch):
        try:
            running[pool.executor.submit(execute, shipped, batch, store, pool.notes)] = batch
        except cf.BrokenExecutor as error:  # it broke between two looks
            pool.restart(error)
            submit(batch)

    def size() -> int:
        if typical is None:
            return 1
        fair = max(1, len(waiting) // (2 * pool.workers))
        return max(1, min(LARGEST, fair, int(BATCH / max(typical, 1e-6))))

    def lost(batches, error):
        """Sort out the runs of batches that came to nothing: late, to blame perhaps, or innocent."""
        begun = pool.running()
        for task in (task for batch in batches for task in batch):
            started = begun.get(task.key)
            if started and plan.time_limit and time.time() - started[1] > plan.time_limit:
                deliver_error(task, late(plan.time_limit), time.time() - started[1])
            elif started or pool.notes is None:
                deaths[task.key] = deaths.get(task.key, 0) + 1
                if deaths[task.key] >= DEATHS:
                    deliver_error(task, ("WorkerDied", f"its worker process died {DEATHS} times: killed, out of "
                                         f"memory, or a crash in compiled code ({type(error).__name__})", ""), 0.)
                elif deaths[task.key] == DEATHS - 1:
                    suspects.append(task)
                else:
                    waiting.append(task)
            else:
                waiting.append(task)

    def deliver_error(task, error, seconds):
        outcome = Outcome(task.key, task.replicate, task.seed, task.point, None, seconds, error)
        if store is not None:
            store.write([outcome])
        deliver([outcome])

    try:
        while waiting or suspects or running:
            while waiting and len(running) < 2 * pool.workers + 1:
                n = size()
                submit([waiting.popleft() for _ in range(min(n, len(waiting)))])
            if suspects and not running and not waiting:
                submit([suspects.popleft()])
            done, _ = cf.wait(running, timeout=.5, return_when=cf.FIRST_COMPLETED)
            broken, batches = None, []
            for future in done:
                batch = running.pop(future)
                try:
                    outcomes = future.result()
                except StoreError:
                    raise
                except (Exception, cf.CancelledError) as error:
                    broken = error if isinstance(error, cf.BrokenExecutor) else broken
                    if not isinstance(error, cf.BrokenExecutor) and not _died(error):
                        raise
                    batches.append((batch, error))
                    continue
                mean = sum(o.seconds for o in outcomes) / len(outcomes)
                typical = mean if typical is None else .7 * typical + .3 * mean
                deliver(outcomes)
            if broken is not None:  # then every batch in flight is lost or just done
                cf.wait(running, timeout=30)
                for future, batch in list(running.items()):
                    if future.done() and not future.cancelled() and future.exception() is None:
                        deliver(future.result())
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
                deliver(future.result())
        pool.close()


def _died(error) -> bool:
    """Tell a worker's death from a fault of ours; Dask says KilledWorker."""
    return type(error).__name__ in ("KilledWorker", "CancelledError", "FutureCancelledError", "CommClosedError")


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
