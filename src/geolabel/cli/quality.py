"""Verbs on how good labels are: gold and skill, suspected errors, what to label next, area and accuracy."""

from __future__ import annotations
