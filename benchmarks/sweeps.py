"""What a run of a sweep costs beside the run itself: ``python benchmarks/sweeps.py``."""

import time
import warnings

import mesa

from organism.sweeps import sweep


def nothing(params, rng):
    return {"x": 0.}


def second(params, rng):
    """Compute for about a second."""
    end, i = time.process_time() + 1, 0
    while time.process_time() < end:
        i += 1
    return {"x": 0.}


class Empty(mesa.Model):
    """A model that does nothing."""

    def __init__(self, a=0, seed=None, rng=None):
        super().__init__(seed=seed) if rng is None else super().__init__(rng=rng)
        self.datacollector = mesa.DataCollector({"x": lambda model: 0.})

    def step(self):
        """Collect."""
        self.datacollector.collect(self)


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main():
    points = {"a": list(range(1000))}
    quiet = {"rng": 1, "progress": False}
    rows = [("function, serial", timed(lambda: sweep(nothing, vary=points, **quiet)) / 1000),
            ("mesa.Model, serial", timed(lambda: sweep(Empty, vary=points, ticks=1, **quiet)) / 1000)]
    start = timed(lambda: sweep(nothing, workers=2, **quiet))
    both = timed(lambda: sweep(nothing, vary=points, workers=2, **quiet))
    rows.append(("function, 2 processes", (both - start) / 1000))
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        pass
    else:
        with LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
            sweep(nothing, executor=client, **quiet)
            rows.append(("function, Dask", timed(lambda: sweep(nothing, vary=points, executor=client, **quiet)) / 1000))
    if hasattr(mesa, "batch_run"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows.append(("mesa.batch_run, serial", timed(lambda: mesa.batch_run(
                Empty, points, number_processes=1, max_steps=1, display_progress=False)) / 1000))
    for name, seconds in rows:
        print(f"{name:<26}{1000 * seconds:8.2f} ms a run")
    wall = timed(lambda: sweep(second, vary={"a": list(range(8))}, workers=2, **quiet)) - start
    print(f"{'two workers, 8 × 1 s':<26}{8 / 2 / wall:8.2f} efficiency (without {start:.1f} s to start them)")


if __name__ == "__main__":
    main()
