import json

import numpy as np
import pytest
import rasterio

from geolabel.errors import SourceError
from geolabel.quality.consensus.agree import agree
from geolabel.quality.consensus.products import load_consensus, save_consensus
from labels import answer, scar, tasks_of, team, utm_grid

GRID = utm_grid(64, 64)
TASKS = tasks_of(GRID, 32)


@pytest.fixture
def consensuses():
    answers = team(scar(64), GRID, TASKS, ["expert", "over", "under"])
    cloud = np.zeros((32, 32), bool)
    cloud[:5] = True
    some = [a for a in answers if a.task_id not in (TASKS[1].id, TASKS[2].id)]
    clouded = answer(TASKS[1], GRID, ~cloud & (np.indices((32, 32))[1] > 9), ignore=cloud)
    unsure = answer(TASKS[2], GRID, cloud & False, outcome="unsure")
    return agree(TASKS, GRID, [*some, clouded, unsure], gold={}, classes=("burned",))


def test_a_consensus_comes_back(consensuses, tmp_path):
    for one in consensuses.values():
        home = save_consensus(one, tmp_path)
        assert home == tmp_path / one.digest
        back = load_consensus(home)
        assert back.digest == one.digest
        assert back.grid == one.grid
        assert (back.method, back.status, back.answers, back.classes) == (
            one.method,
            one.status,
            one.answers,
            one.classes,
        )
        assert back.weights == one.weights
        assert back.agreement == one.agreement or np.isnan(one.agreement)
        assert list(back.ignore["reason"]) == list(one.ignore["reason"])
        assert np.nanmax(np.abs(back.probability - one.probability), initial=0) <= 0.5 / 250 + 1e-6
        assert (np.isnan(back.probability) == np.isnan(one.probability)).all()


def test_the_files_are_what_they_say(consensuses, tmp_path):
    one = consensuses[TASKS[1].id]
    home = save_consensus(one, tmp_path)
    with rasterio.open(home / "probability.tif") as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert (file.dtypes, file.nodata) == (("uint8",), 255)
        assert file.read(1)[0, 0] == 255
        assert file.read(1).max(where=file.read(1) < 255, initial=0) == 250
        assert file.transform == one.grid.transform
    assert json.loads((home / "consensus.json").read_text())["agreement"] is None


def test_saving_twice_writes_once(consensuses, tmp_path):
    one = consensuses[TASKS[0].id]
    home = save_consensus(one, tmp_path)
    before = (home / "consensus.json").stat().st_mtime_ns
    assert save_consensus(one, tmp_path) == home
    assert (home / "consensus.json").stat().st_mtime_ns == before


def test_an_unfinished_consensus_is_none(consensuses, tmp_path):
    home = save_consensus(consensuses[TASKS[0].id], tmp_path)
    head = (home / "consensus.json").read_text()
    (home / "consensus.json").unlink()
    with pytest.raises(SourceError, match="no consensus"):
        load_consensus(home)
    (home / "consensus.json").write_text(head.replace("consensus/2", "consensus/9"))
    with pytest.raises(SourceError, match="consensus/9"):
        load_consensus(home)


def test_the_choice_and_its_evidence_come_back(tmp_path):
    answers = team(scar(64), GRID, TASKS, ["expert", "over", "under"])
    gold = {t.id: scar(64)[t.tile.slices] for t in TASKS[:3]}
    one = agree(TASKS, GRID, answers, gold=gold, classes=("burned",))[TASKS[3].id]
    back = load_consensus(save_consensus(one, tmp_path))
    assert back.evidence == one.evidence
    assert set(one.evidence["burned"]["majority"]) == {"score", "iou", "area_bias", "gain", "se", "n_gold"}
    assert back.digest == one.digest


def test_the_first_form_is_still_read(consensuses, tmp_path):
    home = save_consensus(consensuses[TASKS[0].id], tmp_path)
    head = json.loads((home / "consensus.json").read_text())
    head |= {"format": "geolabel-consensus/1", "evidence": {"majority": 0.5, "dawid-skene": 0.25}}
    (home / "consensus.json").write_text(json.dumps(head))
    back = load_consensus(home)
    assert back.evidence == {"burned": {"majority": {"score": 0.5}, "dawid-skene": {"score": 0.25}}}
