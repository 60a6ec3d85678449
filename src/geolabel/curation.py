"""Curation: what a labeling company adds to labels. Gold and skill, review and routing, batches and their delivery, what to
label next, and an area with honest error bars; each method is one call of a step."""

from __future__ import annotations

from dataclasses import dataclass

from geolabel.labeling import Labeling


@dataclass
class Curation(Labeling):
    """The part of a `Project` that knows how good its labels are, and sees to it."""

    # ------------------------------------------------------------------ gold and skill

    # ------------------------------------------------------------------ review and routing

    # ------------------------------------------------------------------ batches and deliveries

    # ------------------------------------------------------------------ label errors, and what to label next

    # ------------------------------------------------------------------ area and accuracy
