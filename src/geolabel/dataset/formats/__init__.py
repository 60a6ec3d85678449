"""Formats of other programs: one module a format, each with what it carries, `write` and `read`."""
