"""Bring the front-end assets (Leaflet and what folium needs) from npm into the wheel, offline-ready and never committed.

`view/assets/package.json` names exact versions, `package-lock.json` their digests (and no address). An existing,
complete `dist` is kept, so a source distribution built with assets installs without npm.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ASSETS = Path(__file__).parent / "src" / "geolabel" / "view" / "assets"


def wanted() -> dict[str, str]:
    return json.loads((ASSETS / "package.json").read_text())["geolabel"]["files"]


def complete(stamp: str) -> bool:
    dist = ASSETS / "dist"
    mark = dist / "stamp.txt"
    return mark.is_file() and mark.read_text() == stamp and all((dist / name).is_file() for name in wanted())


def bring() -> None:
    stamp = (ASSETS / "package.json").read_text() + (ASSETS / "package-lock.json").read_text()
    if complete(stamp):
        return
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("geolabel builds its offline maps from npm packages: install Node.js (npm) and try again")
    with tempfile.TemporaryDirectory() as tmp:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ASSETS / name, tmp)
        subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=tmp, check=True
        )
        dist = ASSETS / "dist"
        shutil.rmtree(dist, ignore_errors=True)
        dist.mkdir(parents=True)
        for name, source in wanted().items():
            shutil.copyfile(Path(tmp) / "node_modules" / source, dist / name)
        (dist / "stamp.txt").write_text(stamp)


class AssetsHook(BuildHookInterface):
    def initialize(self, version, build_data):  # noqa: ARG002
        bring()
