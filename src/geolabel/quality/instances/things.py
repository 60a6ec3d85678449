"""Things: what some annotators of a task drew as one object, and who else judged its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.quality.consensus.votes import Votes
from geolabel.quality.instances.clusters import clusters
from geolabel.quality.instances.matching import Shapes, ordered
from geolabel.quality.instances.shape import fused
from geolabel.shapes import clip

IGNORED = 0.5
"""Share of an object that lies in what an annotator left out, from which they did not judge it."""


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """What some annotators of a task drew as one object of a class."""

    task_id: str
    class_name: str
    key: str
    """Names it among all, in an order that follows from the shapes."""
    shape: BaseGeometry
    members: Mapping[str, tuple[str, BaseGeometry]]
    """Annotator -> (label_id, shape) of who drew it."""
    weights: Mapping[str, float]
    """Of all who judged the place, those who drew nothing there too."""

    @property
    def shapes(self) -> Shapes:
        """(member,) in the order of the annotators' names."""
        return np.array([self.members[name][1] for name in sorted(self.members)], object)


def things_of(votes: Votes, weights: Mapping[str, float]) -> list[Thing]:
    """What the heard annotators of a task drew, by class and place; every object of theirs is a member of one thing."""
    found = []
    for name in votes.classes:
        drawn = {answer.annotator: _drawn(answer, name, votes.grid) for answer in votes.answers}
        groups = clusters({who: own.geometry.to_numpy() for who, own in drawn.items()})
        each = [
            {who: (str(drawn[who]["label_id"].iloc[n]), drawn[who].geometry.iloc[n]) for who, n in g} for g in groups
        ]
        whole = np.array([fused(np.array([shape for _, shape in one.values()], object)) for one in each], object)
        for place, number in enumerate(_in_order(whole, each)):
            shape, members = whole[number], each[number]
            heard = _judges(votes.answers, shape, members, weights)
            found.append(Thing(votes.task.id, name, f"{votes.task.id}|{name}|{place:06d}", shape, members, heard))
    return found


def _drawn(answer: Answer, name: str, tile: Grid) -> gpd.GeoDataFrame:
    """The annotator's objects of a class on the tile, in an order of their own."""
    own = answer.shapes[answer.shapes["class"] == name]
    cut = clip(own, tile)
    if not len(cut):
        return own.iloc[:0]
    by_id = cut.sort_values("label_id", kind="stable")  # of equal shapes the ids decide
    return by_id.iloc[ordered(by_id.geometry.to_numpy())]


def _in_order(whole: Shapes, each: Sequence[Mapping[str, tuple[str, BaseGeometry]]]) -> list[int]:
    """Places of fused shapes by themselves; of equal ones by who drew them."""
    if not len(whole):
        return []
    by_members = sorted(range(len(each)), key=lambda n: sorted((who, label) for who, (label, _) in each[n].items()))
    return [by_members[n] for n in ordered(whole[by_members])]


def _judges(
    answers: Sequence[Answer], shape: BaseGeometry, members: Mapping[str, object], weights: Mapping[str, float]
) -> dict[str, float]:
    """Annotator -> weight, of who drew the object or did not leave its place out."""
    heard = {}
    for answer in answers:
        left = sum(shapely.area(shapely.intersection(answer.ignore.geometry.to_numpy(), shape)), 0.0)
        if answer.annotator in members or left < IGNORED * shape.area:
            heard[answer.annotator] = weights[answer.annotator]
    return heard
