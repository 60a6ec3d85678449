"""Verbs on the way of a task: who does what, review, batches and their delivery."""

from __future__ import annotations
