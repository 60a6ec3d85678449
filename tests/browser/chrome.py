"""The system's Chromium with no way to the network, and a record of what a page tried."""

import contextlib
import os
import shutil
from pathlib import Path

import pytest

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
LOCAL = ("file:", "data:", "blob:", "about:")


def executable():
    """Path of a Chromium, or a skip with the reason."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None and "chromium" in os.environ.get("GEOLABEL_REQUIRE", ""):
        pytest.fail("GEOLABEL_REQUIRE asks for Chromium, and there is none")
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium fonts-dejavu-core")
    return found


@contextlib.contextmanager
def browser():
    """A running Chromium."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install geolabel[test]"
    )
    with playwright.sync_playwright() as play:
        running = play.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield running
        running.close()


@contextlib.contextmanager
def opened(running, path, *, now=None, width=1400, height=900, **options):
    """A page opened from disk at a given clock; `page.tried` holds requests, `page.complaints` console errors."""
    context = running.new_context(viewport={"width": width, "height": height}, **options)
    context.route(lambda url: not url.startswith(LOCAL), lambda route: route.abort())
    page = context.new_page()
    page.tried, page.complaints = [], []
    page.on("request", lambda request: page.tried.append(request.url) if not request.url.startswith(LOCAL) else None)
    page.on("console", lambda said: page.complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (page.complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
    if now:
        page.clock.set_fixed_time(now)
    page.goto(Path(path).resolve().as_uri())
    page.wait_for_function("document.querySelectorAll('.gl-grat').length > 0")
    yield page
    context.close()
