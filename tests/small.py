"""A small window of the shipped sample, so that the whole job runs in seconds on real pixels."""

from dataclasses import dataclass
from pathlib import Path

import rasterio
from rasterio.windows import Window

import geolabel as gl

WINDOW = Window(96, 64, 128, 128)
IGNITION = gl.LonLat(-34.86711, -7.98882)


@dataclass(frozen=True)
class Small:
    """Files of the window."""

    folder: Path
    wind: str
    notes: tuple[str, ...]

    def path(self, what: str) -> Path:
        return self.folder / f"{what}.tif"

    def scene(self, role: str) -> gl.Scene:
        return gl.open_scene(self.path(role), at="2003-05-31", id=f"{role}-{role}")

    def flags(self, **changes: object) -> list[str]:
        """The flags of `geolabel demo` on these scenes; None leaves one out."""
        given = {name: self.path(name) for name in ("before", "after", "dem")}
        given |= {"ignition": f"{IGNITION.lon},{IGNITION.lat}", "wind": self.wind}
        return [f"--{key}={value}" for key, value in {**given, **changes}.items() if value is not None]


def small(folder: Path) -> Small:
    """The window cut out of before, after and truth; the DEM whole."""
    sample = gl.sample()
    folder.mkdir(parents=True, exist_ok=True)
    for what in ("before", "after", "truth"):
        with rasterio.open(sample.path(what)) as file:
            place = {"height": WINDOW.height, "width": WINDOW.width, "transform": file.window_transform(WINDOW)}
            with rasterio.open(folder / f"{what}.tif", "w", **{**file.profile, **place}) as cut:
                cut.write(file.read(window=WINDOW))
                cut.descriptions = file.descriptions
    (folder / "dem.tif").write_bytes(sample.path("dem").read_bytes())
    return Small(folder, sample.facts["wind"], sample.notes)
