"""Measure our Sugarscape against Mesa's own: ``python compare.py [steps] [repeats]``."""

import copy
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from agents import Trader
from mesa.examples.advanced.sugarscape_g1mt import model as sugarscape
from model import Sugarscape


def theirs(seed):
    """Return Mesa's own model, whichever way it takes its seed."""
    if hasattr(sugarscape, "SugarScapeScenario"):
        return sugarscape.SugarscapeG1mt(sugarscape.SugarScapeScenario(rng=seed))
    try:
        return sugarscape.SugarscapeG1mt(rng=seed)
    except TypeError:
        return sugarscape.SugarscapeG1mt(seed=seed)


def twin(model):
    """Return our model with the traders and the luck that Mesa's has now."""
    ours = Sugarscape(initial_population=0, rng=1)
    for one in model.agents:
        Trader(ours, ours.grid[one.cell.coordinate], one.sugar, one.spice, one.metabolism_sugar, one.metabolism_spice,
               one.vision)
    ours.random.setstate(copy.deepcopy(model.random.getstate()))
    return ours


def course(model):
    """Return the number of traders, the trade volume and the mean log price of a model that has run."""
    frame = model.datacollector.get_model_vars_dataframe()
    return len(model.agents), float(frame["Trade Volume"].mean()), float(np.log(frame["Price"]).mean())


def run(here, seed, steps):
    """Return the seconds of processor time of some steps, and the course."""
    model = twin(theirs(seed)) if here else theirs(seed)
    started = time.process_time()
    for _ in range(steps):
        model.step()
    return time.process_time() - started, course(model)


if __name__ == "__main__":
    steps, repeats = [*map(int, sys.argv[1:]), *(200, 5)[len(sys.argv) - 1:]]
    gains = []
    for seed in range(1, repeats + 1):
        # Each in a process of its own: Mesa's caches keep every model, and all later ones are slower for it.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as fresh:
            (mesa_s, mesas), (here_s, ours) = (fresh.submit(run, here, seed, steps).result() for here in (False, True))
        gains.append((mesa_s, here_s, mesa_s / here_s))
        print(f"seed {seed}: Mesa {mesa_s:.2f} s, here {here_s:.2f} s, same course: {mesas == ours}; "
              f"{ours[0]} traders left")
    print("median of {} runs of {} steps: Mesa {:.2f} s, here {:.2f} s, {:.2f} times as fast".format(
        repeats, steps, *np.median(gains, axis=0)))
