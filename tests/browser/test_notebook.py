"""The view in JupyterLab, in a real browser: what a user sees and does."""

import time

import numpy as np

from organism import Topology, World

from .pages import drawn, pixels, tick, until

START = "import organism as og\nworld = og.World(og.Topology.grid((48, 64)), rng=3)\n"


def stepped(n, **changes):
    world = World(Topology.grid((48, 64)), rng=3)
    if changes:
        world.update(**changes)
    world.step(n)
    return world


def test_load_step_play_slide_and_click(notebook):
    book = notebook(START + "shown = og.view(world, sliders=['care.weight', 'exchange.loss'])\nshown")
    view, page = book.view, book.page
    assert tick(view) == 0 and np.array_equal(pixels(view), drawn(stepped(0)))
    book.window.shot("notebook-loaded")

    for n in (1, 2, 3):
        book.press("step one tick")
        until(lambda n=n: tick(view) == n)
    until(lambda: np.array_equal(pixels(view), drawn(stepped(3))), what="pixels are not those of the world's arrays")

    book.press("play")
    until(lambda: tick(view) > 40)
    book.press("pause")
    time.sleep(0.7)
    n = tick(view)
    assert np.array_equal(pixels(view), drawn(stepped(n)))
    time.sleep(0.5)
    assert tick(view) == n                    # paused is paused
    view.get_by_label("show").select_option("welfare")
    until(lambda: np.array_equal(pixels(view), drawn(stepped(n), "welfare")))
    assert "share of need met" in view.locator(".legend").inner_text()

    slider = view.get_by_role("slider", name="care.weight")
    slider.focus()
    page.keyboard.press("Home")               # to the left end
    until(lambda: "0" == slider.locator("xpath=../output").inner_text())
    until(lambda: book.ask("print(shown.values['care.weight'], shown.world.history)")
          == f"0 [({n}, 'care.weight = 0')]" or book.ask("print(shown.values)"))
    assert f"({n}, 'care.weight = 0')" in book.ask("print(shown.world.history)")

    canvas = view.locator("canvas.cells")
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] * 20.5 / 64, "y": box["height"] * 10.5 / 48})
    until(lambda: "at (10, 20)" in view.locator("caption").inner_text())
    assert "suppliers" in view.locator(".members").inner_text()
    ink = view.locator("canvas.over").evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)")
    assert ink                                # suppliers and clients are marked
    page.keyboard.press("ArrowDown")
    until(lambda: "at (11, 20)" in view.locator("caption").inner_text())
    view.get_by_label("flows of late").check()
    time.sleep(0.5)
    book.window.shot("notebook-member-and-flows", view)
    page.locator("canvas.cells").focus()
    page.keyboard.press("Escape")
    until(lambda: view.locator("caption").count() == 0)

    book.press("go back to the start")
    until(lambda: tick(view) == 0)
    view.get_by_label("show").select_option("task")
    until(lambda: np.array_equal(pixels(view), drawn(stepped(0))))
    book.press("step one tick")
    until(lambda: tick(view) == 1)
    assert book.ask("print(world.tick, world.history)") == "0 []"
    assert not book.window.errors and not book.window.refused


def test_two_worlds_and_their_wholes(notebook):
    book = notebook(START.replace("(48, 64)", "(24, 24)") + "world.step(300)\n"
                    "shown = og.view(world, world.fork(), field='dominant_task', names=['changed', 'twin'])\nshown")
    view = book.view
    assert view.locator(".panel").count() == 2
    assert np.array_equal(pixels(view, 0), pixels(view, 1))
    book.ask("shown.values = {'care.weight': 0.0}")
    book.press("play")
    until(lambda: tick(view, 1) > 400)
    book.press("pause")
    time.sleep(0.7)
    assert tick(view, 0) == tick(view, 1) and (pixels(view, 0) != pixels(view, 1)).any()
    book.press("find the roles of the members as they are now")
    until(lambda: view.get_by_label("show").input_value() == "role", 60)
    book.press("find the wholes as they are now, and their boundaries")
    until(lambda: book.ask("print(shown.busy == '' and (bool(shown.levels) or 'No wholes' in shown.message))")
          == "True", 120)
    book.window.shot("notebook-two-worlds", view)
    assert not book.window.errors


def test_a_network(notebook):
    book = notebook("import organism as og, networkx as nx\n"
                    "world = og.World(og.Topology.from_networkx(nx.karate_club_graph()), rng=1)\n"
                    "shown = og.view(world, field='welfare')\nshown")
    view = book.view
    book.press("play")
    until(lambda: tick(view) > 30)
    book.press("pause")
    at = eval(book.ask("print(shown._subjects[0].at[33].tolist())"))
    box = view.locator("canvas.dots").bounding_box()
    view.locator("canvas.dots").click(position={"x": at[0] * box["width"], "y": at[1] * box["height"]})
    until(lambda: "node 33" in view.locator("caption").inner_text())
    time.sleep(0.4)
    colour = view.locator("canvas.dots").evaluate(
        "(c, [x, y]) => Array.from(c.getContext('2d').getImageData(x * c.width, y * c.height, 1, 1).data)", at)
    code = eval(book.ask("p = shown.frame['paintings'][0]; print(p.palette[p.codes[33]].tolist())"))
    assert colour == code
    book.window.shot("notebook-network", view)
    assert not book.window.errors


def test_frames_per_second(notebook, record_property):
    book = notebook("import organism as og\nworld = og.World(og.Topology.grid((256, 256)), rng=1)\n"
                    "shown = og.view(world)\nshown.speed = 1000\nshown")
    book.press("play")
    rates = []
    for _ in range(5):
        time.sleep(2.2)
        rates.append(float(book.view.locator(".rate").get_attribute("data-frames") or 0))
    book.press("pause")
    print(f"\n256×256 in JupyterLab while stepping: {', '.join(f'{rate:.0f}' for rate in rates)} frames a second")
    record_property("frames_per_second", max(rates))
    assert max(rates) > 1                     # how many is told, not tested: machines differ
    assert not book.window.errors


def test_a_world_or_a_measure_that_raises(notebook):
    book = notebook(START + """from organism.view._subject import Subject
def worse(world):
    if world.tick >= 10:
        raise RuntimeError('no such luck')
    return 1.0
step = Subject.step
def breaks(self, n):
    step(self, n)
    if self.tick >= 40:
        raise MemoryError('no room')
Subject.step = breaks
shown = og.view(world, series={'worse': worse})
shown""")
    alert = book.view.get_by_role("alert")
    book.press("play")
    until(lambda: alert.is_visible() and alert.inner_text() == "MemoryError: no room")
    book.window.shot("notebook-raises", book.view)
    until(lambda: book.view.get_by_role("button", name="play", exact=True).is_visible())
    book.press("go back to the start")
    until(lambda: tick(book.view) == 0 and not alert.is_visible())
    for n in range(1, 13):                    # the measure is left out, and the picture goes on
        book.press("step one tick")
        until(lambda n=n: tick(book.view) == n)
    assert np.array_equal(pixels(book.view), drawn(stepped(12)))
    assert not book.window.errors


def test_other_cells_run_and_buttons_answer(notebook):
    book = notebook(START + "shown = og.view(world)\nshown")
    book.press("play")
    until(lambda: tick(book.view) > 5)
    start = tick(book.view)
    book.ask("import time; time.sleep(3); print(sum(range(10**6)))")
    assert tick(book.view) > start + 50       # played on while a cell ran
    book.press("pause")
    until(lambda: book.ask("print(shown.playing)") == "False")


def test_closing_the_page_stops_the_stepping(notebook):
    book = notebook(START + "shown = og.view(world)\nshown")
    book.press("play")
    until(lambda: tick(book.view) > 5)
    assert book.ask("print(shown.playing)") == "True"
    book.page.close()
    until(lambda: len({book.ask("import time; time.sleep(.4); print(shown.world.tick)") for _ in range(2)}) == 1, 40,
          "it steps on although nobody looks")
