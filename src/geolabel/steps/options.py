"""Options: frozen, described, and an unknown key is an error that names the nearest one."""

from __future__ import annotations

from typing import Any, Self, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from geolabel.digests import digest
from geolabel.errors import ConfigError, nearest


class Options(BaseModel):
    """What a step may be told. Built with `read`, which speaks geolabel's errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def read(cls, values: dict[str, Any], *, where: str) -> Self:
        """Options from plain values (TOML, flags).

        Raises
        ------
        ConfigError
            Names the key, what was found, and the nearest known key or what is allowed.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise _told(error, cls, where) from None

    @property
    def digest(self) -> str:
        """Sha-256 over all values, defaults included."""
        return digest(self.model_dump(mode="json"))


def _told(error: ValidationError, model: type[BaseModel], where: str) -> ConfigError:
    first = error.errors()[0]
    path = _place(model, [str(part) for part in first["loc"]])
    if first["type"] == "extra_forbidden":
        return ConfigError(
            f"{where} has the unknown key {'.'.join(path)!r}", hint=nearest(path[-1], _keys(model, path[:-1]))
        )
    return ConfigError(f"{where}: {'.'.join(path)} = {first['input']!r}: {first['msg']}", hint=_describe(model, path))


def _place(model: type[BaseModel], path: list[str]) -> list[str]:
    """The path without what follows a plain value: the kinds it might have had."""
    for i, part in enumerate(path):
        field = model.model_fields.get(part)
        if field is None or get_origin(field.annotation) is dict:
            return path
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return path[: i + 1]
        model = field.annotation
    return path


def _keys(model: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        field = model.model_fields.get(part)
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
    return list(model.model_fields)


def _describe(model: type[BaseModel], path: list[str]) -> str:
    for part in path[:-1]:
        field = model.model_fields.get(part)
        if field and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            model = field.annotation
    last = model.model_fields.get(path[-1]) if path else None
    return (last.description or "") if last else ""
