"""Build the kernel, once for each instruction level that the package dispatches between.

Environment variables:
  ORGANISM_OPENMP=0   build without OpenMP (default: used where the compiler has it)
  ORGANISM_CHECKED=1  hold every access of the kernel against the array's bounds (slow; for tests)
  ORGANISM_LEVEL=1    build for every processor only, in a third of the time (3: AVX2 too; default 4: AVX-512 too)
"""

import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

LEVELS = {"": []}
if platform.machine().lower() in ("x86_64", "amd64"):
    LEVELS |= {f"_v{level}": [f"-march=x86-64-v{level}"] for level in (3, 4)
               if level <= int(os.environ.get("ORGANISM_LEVEL") or 4)}

# Value-safe flags only: no contraction, so every level and thread count gives the same bits.
MODULES = {
    "_core": ("_lanes.h", "_book.pxi", "_passes.pxi", "_demography.pxi", "_regimes.pxi"),
    "_neighbours": ("_neighbours.h", "_neighbours_of.h"),
    "_games": ("_chance.h", "_games.h", "_evolve.h", "_activate.h"),
}
FLAGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-Wno-psabi"]
PROBE = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"


class Build(build_ext):
    """Probe the compiler for OpenMP and for each instruction level, then build."""

    def build_extensions(self):
        """Set the flags that this compiler takes, leave out levels it does not know, and build."""
        openmp = ["-fopenmp"] if self.works(["-fopenmp"], PROBE) else []
        if os.environ.get("ORGANISM_OPENMP", "1") == "0":
            openmp = []
        kept = []
        for extension in self.extensions:
            level = extension.extra_compile_args
            if level and not self.works(level, "int main(void) { return 0; }\n"):
                print(f"organism: the compiler does not know {level[0]}; {extension.name} is left out")
                continue
            extension.extra_compile_args = FLAGS + level + openmp
            extension.extra_link_args = openmp
            kept.append(extension)
        self.extensions = kept
        print(f"organism: OpenMP {'on' if openmp else 'off'}")
        super().build_extensions()

    def finalize_options(self):
        """Compile the levels side by side, where nothing else was asked for, and always anew."""
        super().finalize_options()
        self.force = True                   # what the environment asks for is no file that could be newer
        self.parallel = self.parallel or os.cpu_count() or 1

    def works(self, flags, source):
        """Tell whether a program compiles and links with some flags."""
        folder = tempfile.mkdtemp()
        try:
            path = Path(folder, "probe.c")
            path.write_text(source)
            objects = self.compiler.compile([str(path)], output_dir=folder, extra_postargs=flags)
            self.compiler.link_executable(objects, str(Path(folder, "probe")), extra_postargs=flags)
        except Exception:
            return False
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return True


def extensions():
    """Yield one extension a module and level, all levels of the same generated C."""
    from Cython.Build import cythonize

    macros = [("ORGANISM_CHECKED", "1")] if os.environ.get("ORGANISM_CHECKED", "0") == "1" else []
    made = cythonize([Extension(f"organism.{name}", [f"src/organism/{name}.pyx"]) for name in MODULES], quiet=True)
    for module, (name, included) in zip(made, MODULES.items(), strict=True):
        for level, flags in LEVELS.items():
            # the same C source under another module name: only the init function is renamed
            source = f"src/organism/{name}{level}.c"
            if level:
                shutil.copy(module.sources[0], source)
            rename = [(f"PyInit_{name}", f"PyInit_{name}{level}")] if level else []
            yield Extension(f"organism.{name}{level}", [source], define_macros=macros + rename,
                            depends=[f"src/organism/{one}" for one in included], extra_compile_args=list(flags))


if sys.platform == "win32":
    print("organism: the kernel needs gcc or clang (GNU vector extensions)")
setup(ext_modules=list(extensions()), cmdclass={"build_ext": Build})
