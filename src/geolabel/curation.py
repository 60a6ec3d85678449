"""Curation: how good labels are, and what is done about it; each method is one call of a step."""

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
