"""Moving pictures written frame by frame, as GIF or MP4; the file is there when it is whole, or not at all."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np

__all__ = ["FASTEST", "Colours", "Gif", "Mp4", "Target", "ffmpeg"]

#: Frames a second that each format can hold; viewers slow GIFs down that are faster.
FASTEST = {".gif": 50, ".mp4": 120}
#: Entry of a GIF's palette that leaves a pixel as it was.
KEEP = 255


class Target:
    """A file that is being written beside the one it replaces when the ``with`` block ends without an error."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> str:
        try:
            handle, self.name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.",
                                                 suffix=".part" + self.path.suffix.lower())
        except OSError as error:
            raise type(error)(f"cannot write {self.path}: {error.strerror or error}") from None
        os.close(handle)
        return self.name

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                umask = os.umask(0)
                os.umask(umask)
                os.chmod(self.name, 0o666 & ~umask)     # as open() would have made it
                os.replace(self.name, self.path)
        except OSError as why:
            raise type(why)(f"cannot write {self.path}: {why.strerror or why}") from None
        finally:
            if os.path.exists(self.name):
                os.unlink(self.name)


# -- GIF ------------------------------------------------------------------------------


class Colours:
    """The 255 colours of a GIF: those of the map as they are, and some for words and lines.

    Parameters
    ----------
    exact : array_like of uint8, shape (n, 3)
        Of the map. Where they are more than ``most``, as many are kept, evenly spread.
    sample : ndarray of uint8, shape (m, 3)
        Pixels of all else.
    most : int
    sure : array_like of uint8, shape (k, 3)
        Colours of words and lines that must be among them, the foremost first.
    """

    def __init__(self, exact, sample, most: int, sure):
        from PIL import Image

        exact = distinct(exact)
        if len(exact) > most:
            exact = exact[np.rint(np.linspace(0, len(exact) - 1, most)).astype(int)]
        sure = distinct(sure)[:KEEP - len(exact)]
        sample, few = distinct(sample), KEEP - len(exact) - len(sure)
        if few == 0:
            sample = sample[:0]
        elif len(sample) > few:
            found = Image.fromarray(sample[None]).quantize(few, Image.Quantize.MEDIANCUT).getpalette()
            sample = np.array(found, np.uint8).reshape(-1, 3)[:few]
        sample, self.table = np.concatenate([sure, sample]), np.zeros((256, 3), np.uint8)
        self.table[:len(exact)], used = exact, len(exact) + len(sample)
        self.table[len(exact):used] = sample
        self._exact = exact
        grid = np.arange(32, dtype=np.uint8)
        grid = grid << 3 | grid >> 2
        cube = np.stack(np.meshgrid(grid, grid, grid, indexing="ij"), axis=-1).reshape(-1, 3)
        self._cube = _nearest(cube, self.table[:used])

    def of_map(self, palette) -> np.ndarray:
        """Return the entry for each colour of a map, which has one of its own."""
        return _nearest(palette, self._exact)

    def nearest(self, pixels) -> np.ndarray:
        """Return the entry that is nearest to each pixel, RGB or RGBA."""
        red, green, blue = (pixels[..., k].astype(np.uint16) >> 3 for k in range(3))
        return self._cube[red << 10 | green << 5 | blue]


def distinct(colours) -> np.ndarray:
    """Return the colours that occur, RGB, in the order in which they do."""
    colours = np.asarray(colours, np.uint8)
    number = colours.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    return colours[np.sort(np.unique(number, return_index=True)[1])]


def _nearest(colours, table) -> np.ndarray:
    """Return which colour of a table is nearest to each."""
    colours, table = np.asarray(colours, np.float32), np.asarray(table, np.float32)
    return ((table**2).sum(axis=1) - 2 * colours @ table.T).argmin(axis=1).astype(np.uint8)     # exact: below 2**24


class Gif:
    """A GIF with one palette; each frame holds only what has changed.

    Parameters
    ----------
    name : path
    shape : (int, int)
        Rows and columns.
    table : ndarray of uint8, shape (256, 3)
    fps : float
    loop : bool
    """

    def __init__(self, name, shape, table, fps: float, loop: bool):
        self.fps, self.count, self.last = fps, 0, None
        self.palette = np.ascontiguousarray(table).tobytes()
        self.file = open(name, "wb")
        self.file.write(b"GIF89a" + struct.pack("<HHBBB", shape[1], shape[0], 0xF7, 0, 0) + self.palette)
        if loop:
            self.file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")

    def add(self, entries, hold: float = 0) -> None:
        """Append a frame, entries of the palette, that stays ``hold`` seconds longer than others."""
        rows, columns, sent = slice(0, entries.shape[0]), slice(0, entries.shape[1]), entries
        if self.last is not None:
            changed = entries != self.last
            rows, columns = _span(changed.any(axis=1)), _span(changed.any(axis=0))
            sent = np.where(changed[rows, columns], entries[rows, columns], np.uint8(KEEP))
        self.last, self.count = entries, self.count + 1
        ends = [round(100 * n / self.fps) for n in (self.count - 1, self.count)]     # hundredths, without drift
        delay = min(ends[1] - ends[0] + round(100 * hold), 65535)
        self.file.write(b"\x21\xf9\x04" + struct.pack("<BHBx", 0x05, delay, KEEP))
        self.file.write(b"\x2c" + struct.pack("<HHHHB", columns.start, rows.start, sent.shape[1], sent.shape[0], 0))
        self.file.write(self._packed(sent))

    def _packed(self, entries) -> bytes:
        """Return pixels as LZW, as Pillow writes them into a file of their own."""
        from PIL import Image

        image, buffer = Image.fromarray(np.ascontiguousarray(entries)), BytesIO()
        image.putpalette(self.palette)
        image.save(buffer, "GIF", optimize=False, interlace=False)
        data = buffer.getvalue()
        at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
        while data[at] == 0x21:                          # extensions, in blocks
            at += 2
            while data[at]:
                at += data[at] + 1
            at += 1
        return data[at + 10:-1]

    def close(self) -> None:
        """Write what ends the file."""
        self.file.write(b"\x3b")
        self.file.close()

    def abandon(self) -> None:
        """Write no more."""
        self.file.close()


def _span(changed) -> slice:
    """Return from where to where there are changes; one place where there are none."""
    at = np.flatnonzero(changed)
    return slice(at[0], at[-1] + 1) if len(at) else slice(0, 1)


# -- MP4 ------------------------------------------------------------------------------


def ffmpeg() -> str:
    """Return the path of a program that writes MP4."""
    found = shutil.which("ffmpeg")
    if found is None:
        try:
            import imageio_ffmpeg

            found = imageio_ffmpeg.get_ffmpeg_exe()
        except (ImportError, RuntimeError):
            raise ImportError("an .mp4 needs ffmpeg, which is not on the PATH: pip install imageio-ffmpeg, or write "
                              "a .gif") from None
    return found


class Mp4:
    """An MP4 (H.264), written by ffmpeg.

    Parameters
    ----------
    name : path
    shape : (int, int)
        Rows and columns, even.
    fps : float
    program : path
        Of ffmpeg.
    """

    def __init__(self, name, shape, fps: float, program: str):
        self.fps, self.errors = fps, tempfile.TemporaryFile()
        words = [program, "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
                 "-s", f"{shape[1]}x{shape[0]}", "-framerate", repr(fps), "-i", "-", "-an",
                 "-vf", "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int",
                 "-c:v", "libx264", "-preset", "veryfast", "-tune", "animation", "-crf", "16", "-pix_fmt", "yuv420p",
                 "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv",
                 "-movflags", "+faststart", "-f", "mp4", os.fspath(name)]
        try:
            self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                            stderr=self.errors, start_new_session=True)  # Ctrl-C is for us alone
        except OSError as error:
            self.errors.close()
            raise OSError(f"cannot start {program} to write an .mp4: {error.strerror or error}") from None

    def add(self, pixels, hold: float = 0) -> None:
        """Append a frame, RGB, and as many again as fill ``hold`` seconds."""
        data = np.ascontiguousarray(pixels).data
        try:
            for _ in range(1 + round(hold * self.fps)):
                self.process.stdin.write(data)
        except OSError:
            raise self._failure() from None

    def _failure(self) -> OSError:
        self.abandon()
        return OSError(f"ffmpeg could not write the .mp4: {self.said or 'it ended early'}")

    def close(self) -> None:
        """Wait until all is written."""
        try:
            self.process.stdin.close()
        except OSError:
            raise self._failure() from None
        failed = self.process.wait()
        self.abandon()
        if failed:
            raise OSError(f"ffmpeg could not write the .mp4: {self.said or f'it ended with {failed}'}")

    def abandon(self) -> None:
        """End the program; what it wrote is of no use. Keep the last line of what it said."""
        self.process.kill()
        self.process.wait()
        try:
            self.process.stdin.close()
        except OSError:
            pass
        if not self.errors.closed:
            self.errors.seek(0)
            lines = self.errors.read().decode(errors="replace").strip().splitlines()
            self.said = lines[-1] if lines else ""
            self.errors.close()
