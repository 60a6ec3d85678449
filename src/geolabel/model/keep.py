"""One file per model: tensors and a JSON card, read without running code, refused when it was changed."""

from __future__ import annotations

import json
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

from geolabel.digests import canonical, digest
from geolabel.errors import ModelError
from geolabel.files import atomic
from geolabel.model.backend import torch
from geolabel.model.calibrate import Calibration
from geolabel.model.channels import Scaling
from geolabel.model.nets import Shape, SpreadNet

FORMAT = "geolabel-spread/1"


def _settings(model: Any) -> str:
    """All but the weights, as canonical JSON."""
    values = {
        "shape": asdict(model.net.shape),
        "channels": list(model.channels),
        "hours": list(model.hours),
        "res_m": model.res_m,
        "scaling": asdict(model.scaling),
        "calibration": asdict(model.calibration),
        "card": dict(model.card),
    }
    return canonical(values).decode()


def _digest(settings: str, weights: dict[str, Any]) -> str:
    parts = [part for name in sorted(weights) for part in (name, weights[name].detach().cpu().numpy())]
    return digest(FORMAT, settings, *parts)


def digest_of(model: Any) -> str:
    """Sha-256 over format, settings, card and weights."""
    return _digest(_settings(model), model.net.state_dict())


def save(model: Any, path: Path) -> Path:
    """`path`, once the file is whole on disk."""
    weights = {name: value.detach().cpu() for name, value in model.net.state_dict().items()}
    settings = _settings(model)
    content = {"format": FORMAT, "settings": settings, "weights": weights, "digest": _digest(settings, weights)}
    whole = BytesIO()
    torch.save(content, whole)
    with atomic(path) as tmp:
        tmp.write_bytes(whole.getvalue())  # not by torch, which hides a full disk in a RuntimeError
    return path


def load(path: Path, device: Any) -> dict[str, Any]:
    """The fields of the model that the file holds.

    Raises
    ------
    ModelError
        Not one of our files, damaged, or changed since it was saved.
    """
    content = _read(path)
    try:
        settings, weights = str(content["settings"]), content["weights"]
        good = content["format"] == FORMAT and content["digest"] == _digest(settings, weights)
    except (KeyError, TypeError, AttributeError, IndexError):
        raise ModelError(f"{path} holds no geolabel spread model", hint="use a file written by model.save") from None
    if not good:
        raise ModelError(f"{path} was changed after it was saved (its digest differs)", hint="fetch or train it again")
    values = json.loads(settings)
    net = SpreadNet(Shape(**values["shape"]))
    net.load_state_dict(weights)
    return {
        "net": net.to(device),
        "channels": tuple(values["channels"]),
        "hours": tuple(values["hours"]),
        "res_m": values["res_m"],
        "scaling": Scaling(**{k: tuple(v) for k, v in values["scaling"].items()}),
        "calibration": _calibration(values["calibration"]),
        "card": values["card"],
        "device": device,
    }


def _calibration(values: dict[str, Any]) -> Calibration:
    return Calibration(tuple(values["slope"]), tuple(values["shift"]), values["note"])


def _read(path: Path) -> Any:
    from pickle import UnpicklingError

    if not path.is_file():
        raise ModelError(f"no model at {path}", hint="check the path, or train one: fit(samples).save(path)")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, UnpicklingError, EOFError, ValueError, KeyError) as error:
        raise ModelError(f"cannot read {path} as a model: {str(error).splitlines()[0]}") from None
