"""What several tests share: where the real data lie."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared_folder(name: str) -> Path:
    """A folder beside the checkout (`../shared/<name>`), or a skip with the reason."""
    folder = ROOT.parent / "shared" / name
    if not folder.is_dir():
        pytest.skip(f"{name} lies in ../shared beside the checkout; it is not here")
    return folder


def data_folder(name: str) -> Path:
    """A folder of the real data (GEOLABEL_DATA, default ../shared/data), or a skip with the reason."""
    root = Path(os.environ.get("GEOLABEL_DATA", ROOT.parent / "shared" / "data"))
    if not (root / name).is_dir():
        pytest.skip(f"real data {name!r} not found: set GEOLABEL_DATA to the folder that holds it")
    return root / name
