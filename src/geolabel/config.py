"""project.toml: the options of every step, composed; holds no default and no logic of its own."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from geolabel import files
from geolabel.errors import ConfigError
from geolabel.steps.board import ReviewOptions
from geolabel.steps.consensus import ConsensusOptions
from geolabel.steps.gold import GoldOptions
from geolabel.steps.options import Options
from geolabel.steps.risk import RiskOptions
from geolabel.steps.rule import RuleOptions
from geolabel.steps.skill import SkillOptions
from geolabel.steps.spread import SpreadOptions
from geolabel.steps.tasks import TaskOptions
from geolabel.steps.unseen import UnseenOptions
from geolabel.steps.view import SceneSource


class Config(Options):
    """Everything a project may be told."""

    title: str = Field(description="what the products are called")
    ledger: Literal["file", "database"] = Field(
        default="file", description="where answers are kept: ledger.sqlite here, or the database of GEOLABEL_LEDGER"
    )
    notes: tuple[str, ...] = Field(default=(), description="sentences that must stand on every product")
    scenes: dict[str, SceneSource] = Field(default_factory=dict, description="role -> where its pixels are")
    tasks: TaskOptions = Field(default_factory=TaskOptions)
    rules: RuleOptions = Field(default_factory=RuleOptions)
    consensus: ConsensusOptions = Field(default_factory=ConsensusOptions)
    gold: GoldOptions = Field(default_factory=GoldOptions)
    skill: SkillOptions = Field(default_factory=SkillOptions)
    review: ReviewOptions = Field(default_factory=ReviewOptions)
    unseen: UnseenOptions = Field(default_factory=UnseenOptions)
    spread: SpreadOptions = Field(default_factory=SpreadOptions)
    risk: RiskOptions = Field(default_factory=RiskOptions)


def load(path: Path) -> Config:
    """Config of a project.toml.

    Raises
    ------
    ConfigError
        Not TOML, an unknown key (names the nearest), or a value that is not allowed.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ConfigError(f"{path.name} is not UTF-8", hint="save it as UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path.name} is not TOML: {error}", hint="key = value, [section]") from None
    return Config.read(values, where=path.name)


def save(path: Path, config: Config) -> Path:
    """Path of the project.toml, written atomically; defaults are written out, so that they cannot change unseen."""
    import tomli_w

    return files.write_text(path, tomli_w.dumps(_without_none(config.model_dump(mode="json"))))


def _without_none(value: Any) -> Any:
    """TOML has no null: an absent key means the same."""
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return [_without_none(inner) for inner in value] if isinstance(value, list) else value
