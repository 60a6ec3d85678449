"""The notebooks run from top to bottom, and the README quotes them."""

import re

import nbformat
import pytest
from nbclient import NotebookClient

from support import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def outputs_of(name):
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    NotebookClient(notebook, timeout=400, resources={"metadata": {"path": str(ROOT)}}).execute()
    outputs = [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]
    assert not [out for out in outputs if out.output_type == "error"]
    return outputs


@pytest.mark.slow
def test_the_first_notebook_ends_with_a_map_and_nothing_broken():
    outputs = outputs_of("01_scene_to_risk.ipynb")
    assert any("leaflet" in str(out.get("data", "")) for out in outputs)  # the map is shown
    assert outputs[-1]["data"]["text/plain"] == "[]"  # project.check() found nothing broken


@pytest.mark.slow
def test_the_second_notebook_shows_pictures_and_ends_with_scars():
    outputs = outputs_of("02_scenes_and_tiles.ipynb")
    assert sum("image/png" in out.get("data", "") for out in outputs) >= 2
    assert "(True, True, " in str(outputs)  # the Zarr store gives the scene back
    assert "burned" in outputs[-1]["data"]["text/plain"]


@pytest.mark.slow
def test_the_third_notebook_takes_labels_in_and_gives_them_out():
    outputs = str(outputs_of("03_labels_in_and_out.ipynb"))
    assert "0 answers, 0 corrections, 9 unchanged" in outputs  # the same file again changes nothing
    assert "YOLO segmentation cannot carry holes" in outputs
    assert "every link holds" in outputs
    assert "answers are under wildfire@3" in outputs


@pytest.mark.slow
def test_the_fourth_notebook_ends_with_an_area_that_holds_the_truth():
    outputs = outputs_of("04_quality.ipynb")
    text = str(outputs)
    assert "chosen: stack" in text
    assert "pause" in text
    assert "manifest.json" in text
    assert "user's accuracy" in text
    table = next(out["data"]["text/plain"] for out in reversed(outputs) if "true_ha" in str(out.get("data", "")))
    _, _, low, high, true = next(line.split()[1:] for line in table.splitlines() if line.startswith("jeffreys"))
    assert float(low) < float(true) < float(high)
    assert "every link, product and delivery holds" in outputs[-1]["text"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_a_notebook_is_stored_without_outputs(path):
    cells = nbformat.read(path, as_version=4).cells
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


def test_the_readme_quotes_the_first_notebook():
    code = "\n".join(c.source for c in nbformat.read(NOTEBOOKS[0], as_version=4).cells if c.cell_type == "code")
    quoted = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S).group(1)
    known = {line.split("#")[0].strip() for line in code.splitlines()}
    lines = [line for line in quoted.splitlines() if line.strip()]
    assert 10 <= len(lines) <= 20
    assert not [line for line in lines if line.split("#")[0].strip() not in known]


@pytest.mark.slow
def test_the_fifth_notebook_holds_a_fire_with_a_line_and_finds_the_reach_of_a_scar():
    outputs = outputs_of("05_fire.ipynb")
    said = str(outputs)
    free, held = (int(n) for n in re.search(r"(\d+) free, (\d+) held", said).groups())
    assert held < free
    assert any("leaflet" in str(out.get("data", "")) for out in outputs)
    low, high = (
        float(n)
        for n in re.search(r"rate factor x hours is identified: [\d.]+ \(([\d.]+) to ([\d.]+)\)", said).groups()
    )
    assert low < 1.3 * 4.0 < high
