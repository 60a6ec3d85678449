"""environment.yml and pyproject.toml promise the same names and ranges."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from rattler import MatchSpec

from support import ROOT

PYPI_NAME = {
    "dask-core": "dask",
    "python-tzdata": "tzdata",
    "pytorch": "torch",
    "matplotlib-base": "matplotlib",
    "playwright-python": "playwright",
}
CONDA_ONLY = {"python", "nodejs"}


def ranges(specifier):
    return {re.sub(r"(\.0)+$", "", part.strip()) for part in str(specifier).split(",")}


@pytest.fixture(scope="module")
def conda():
    lines = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    specs = [MatchSpec(line) for line in lines]
    return {spec.name.normalized: str(spec.version) for spec in specs}


@pytest.fixture(scope="module")
def pypi():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    parts = ("ml", "notebook", "stac", "tms", "cluster", "indices", "objects", "postgis", "test")
    texts = [*project["dependencies"], *(text for part in parts for text in extras[part])]
    return {r.name.lower(): r.specifier for r in map(Requirement, texts)}


def test_the_same_names(conda, pypi):
    assert {PYPI_NAME.get(name, name) for name in conda if name not in CONDA_ONLY} == set(pypi)


def test_the_same_ranges(conda, pypi):
    for name, version in conda.items():
        if name not in CONDA_ONLY:
            assert ranges(version) == ranges(pypi[PYPI_NAME.get(name, name)]), name


def test_every_dependency_has_one_pin_without_local_version(pypi):
    pins = [
        Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"
    ]
    names = [pin.name.lower().replace("_", "-") for pin in pins]
    assert len(names) == len(set(names))
    assert {name.replace("_", "-") for name in pypi} | {"uv"} <= set(names)
    for pin in pins:
        assert re.fullmatch(r"==[^+]+", str(pin.specifier)), f"{pin}: one exact version, no local suffix"
