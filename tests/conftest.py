"""Hypothesis on shared machines: no deadlines; in CI the same examples every time. A PostgreSQL for those who ask."""

import os

from hypothesis import HealthCheck, settings

from postgres import postgres, postgres_url

__all__ = ["postgres", "postgres_url"]

settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
