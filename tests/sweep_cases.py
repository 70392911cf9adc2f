"""What the tests of sweeps run: well-behaved, failing, deadly and hanging functions."""

import os
import signal
import time

from organism.sweeps import sweep


def draw(params, rng):
    return {"x": params["a"] + rng.normal(), "n": 1}


def fragile(params, rng):
    if params["a"] == 1:
        raise ZeroDivisionError("a is one")
    return draw(params, rng)


def deadly(params, rng):
    """Kill the own process: the first time only if there is a flag to set, else always."""
    if params["a"] == 1:
        try:
            os.close(os.open(params["flag"], os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return draw(params, rng)
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(params, rng)


def killer(params, rng):
    if params["a"] == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(params, rng)


def hangs(params, rng):
    while params["a"] == 1:
        pass
    return draw(params, rng)


def deaf(params, rng):
    """Hang where no signal handler of Python's can run."""
    if params["a"] == 1:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        time.sleep(600)
    return draw(params, rng)


def quiet(*args, **kwargs):
    return sweep(*args, **{"rng": 1, "progress": False, **kwargs})


GRID = {"a": [0, 1, 2.5]}
