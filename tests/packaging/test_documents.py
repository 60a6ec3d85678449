"""The documents tell the truth about the tree."""

import re

from support import ROOT


def test_every_module_has_its_line_in_the_architecture():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    listed = set(re.findall(r"^- `([\w/]+\.py)`", text, re.M))
    source = ROOT / "src" / "geolabel"
    there = {p.relative_to(source).as_posix() for p in source.rglob("*.py") if p.name != "__init__.py"}
    assert listed - {"__init__.py"} == there


def test_no_machine_path_or_registry_address_is_committed():
    import subprocess

    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    texts = [
        ROOT / n
        for n in names
        if n.endswith((".py", ".md", ".toml", ".json", ".yml", ".txt", ".ipynb")) or "/" not in n
    ]
    bad = re.compile("|".join(("/" + "root/", "/" + "home/", "--extra-index" + "-url", '"resolved"' + ": ")))
    assert not [p.name for p in texts if p.is_file() and bad.search(p.read_text(errors="ignore"))]
