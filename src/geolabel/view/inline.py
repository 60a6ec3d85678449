"""The third-party front-end files of a page (Leaflet and what folium needs), as text with images and fonts inside.

npm brings them at build time (`hatch_build.py`) into `assets/dist`; nothing of them is in the repository, and a page
asks the network for none of them.
"""

from __future__ import annotations

import base64
import re
from functools import cache
from importlib.resources import files

from geolabel.errors import SourceError

SCRIPTS = ("leaflet.js", "jquery.js", "bootstrap.js", "awesome-markers.js")
STYLES = (
    "leaflet.css",
    "bootstrap.css",
    "glyphicons.css",
    "fontawesome.css",
    "fontawesome-solid.css",
    "fontawesome-regular.css",
    "awesome-markers.css",
)
"""In the order in which a page loads them."""

KINDS = {"png": "image/png", "woff2": "font/woff2"}
_URL = re.compile(r"url\(\s*['\"]?([^)'\"]+?)['\"]?\s*\)")
_RETINA_MARKERS = re.compile(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", re.DOTALL)
_GLYPHICONS = re.compile(r"(?:@font-face\s*|\.glyphicon[^{},]*)\{[^}]*\}")


@cache
def asset(name: str) -> bytes:
    """Bytes of one file of `assets/dist`.

    Raises
    ------
    SourceError
        Where the build did not bring it.
    """
    file = files("geolabel.view") / "assets" / "dist" / name
    if not file.is_file():
        raise SourceError(
            f"the map asset {name} is missing from this installation of geolabel",
            hint="install Node.js, then reinstall: python -m pip install --force-reinstall --no-deps -e . brings it from npm",
        )
    return file.read_bytes()


def template(name: str) -> str:
    """Text of one of our own page parts (`templates/`)."""
    return (files("geolabel.view") / "templates" / name).read_text(encoding="utf-8")


@cache
def script(name: str) -> str:
    """A script that can stand inside `<script>`."""
    text = asset(name).decode("utf-8")
    text = re.sub(r"(?m)^//# sourceMappingURL=.*$", "", text)
    return text.replace("</script", "<\\/script").strip()


@cache
def style(name: str) -> str:
    """A style sheet whose images and fonts are inside; what no page of ours shows is left out."""
    text = asset(name).decode("utf-8")
    if name == "glyphicons.css":
        text = "\n".join(_GLYPHICONS.findall(text))
    if name == "awesome-markers.css":
        text = _RETINA_MARKERS.sub("", text)
    text = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", text)
    return _URL.sub(lambda found: f"url({_inside(found[1])})", text).strip()


def _inside(address: str) -> str:
    if address.startswith(("data:", "#")):
        return f'"{address}"' if address.startswith("data:") else address
    name = re.split("[?#]", address, maxsplit=1)[0].rsplit("/", 1)[-1]
    kind = KINDS.get(name.rsplit(".", 1)[-1])
    dist = files("geolabel.view") / "assets" / "dist" / name
    # other formats of a font that is here as woff2 (eot, ttf, svg) are for browsers that no longer exist
    return _data_uri(name, kind) if kind and dist.is_file() else '"data:,"'


def _data_uri(name: str, kind: str) -> str:
    return f'"data:{kind};base64,{base64.b64encode(asset(name)).decode()}"'


def default_icon() -> str:
    """Script that gives Leaflet's default marker its images, which it would look for beside its style sheet."""
    icon, retina, shadow = (
        _data_uri(name, "image/png") for name in ("marker-icon.png", "marker-icon-2x.png", "marker-shadow.png")
    )
    images = f"{{iconUrl: {icon}, iconRetinaUrl: {retina}, shadowUrl: {shadow}}}"
    return f"L.Icon.Default.imagePath = ''; L.Icon.Default.mergeOptions({images});"


def rotations() -> str:
    """Rules for `folium.Icon(angle=...)`."""
    return "".join(f".fa-rotate-{n}{{transform:rotate({n}deg)}}" for n in range(1, 360))
