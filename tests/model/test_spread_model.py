import importlib.util
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from ellipses import CHANNELS, HELD_OUT, HOURS, arrival, grid, ground, inputs
from ellipses import samples as make
from geolabel.bearings import difference
from geolabel.errors import GeolabelError, MissingExtra, ModelError
from geolabel.model import backend
from geolabel.model.spread import SpreadModel, fit

SHAPE = (160, 160)
TINY = {"epochs": 2, "width": 8, "seed": 3}


@pytest.fixture(scope="module")
def samples():
    return make(100)


@pytest.fixture(scope="module")
def few():
    return make(24, size=24)


@pytest.fixture(scope="module")
def model(samples):
    return fit(samples, epochs=10, width=8, batch=4, rate=4e-3, seed=1)


def held_out_fires(n, seed=77):
    """Fires that no sample shows, on ground that no training window shows."""
    fuel, rng = ground(SHAPE, 0), np.random.default_rng(seed)
    inside = np.zeros(SHAPE, bool)
    inside[HELD_OUT.slices] = True
    for _ in range(n):
        start = rng.choice(np.argwhere((fuel > 0) & inside))
        speed, to_deg = rng.uniform(3, 12), rng.uniform(0, 360)
        came, bearing = arrival(SHAPE, start, speed, to_deg)
        scored = (fuel > 0) & inside & (came > 0)
        yield inputs(came <= 0, speed, to_deg, fuel), np.where(fuel > 0, came, np.inf), bearing, scored


def test_it_beats_the_distance_to_the_fire_on_held_out_ground(model):
    said, near, burned, off = [], [], [], []
    for x, came, bearing, scored in held_out_fires(15):
        found = model.predict(x, grid(*SHAPE), scored=scored)
        said.append(found.probability[-1][scored])
        near.append(-x[CHANNELS.index("distance")][scored])
        burned.append(came[scored] <= 60 * HOURS[-1])
        off.append(difference(found.bearing_deg, bearing)[scored & (came <= 60 * HOURS[-1])])
    truth = np.concatenate(burned)
    ours, baseline = (average_precision_score(truth, np.concatenate(v)) for v in (said, near))
    assert ours > baseline + 0.4
    assert np.median(np.concatenate(off)) < 20


def test_the_loss_falls(model):
    losses = model.card["loss"]
    assert losses["train"][-1] < 0.6 * losses["train"][0]
    assert losses["val"][model.card["best_epoch"] - 1] == min(losses["val"])


def test_a_prediction_holds_its_promises(model):
    x, _, _, scored = next(held_out_fires(1))
    found = model.predict(x, grid(*SHAPE), scored=scored)
    assert found.hours == HOURS
    assert found.probability.shape == (2, *SHAPE)
    assert found.probability.dtype == np.float32
    assert (np.diff(found.probability, axis=0) >= 0).all()
    assert (found.probability[:, ~scored] == 0).all()
    assert (found.probability[:, scored] > 0).all()
    assert np.isnan(found.bearing_deg[~scored]).all()
    assert ((found.bearing_deg[scored] >= 0) & (found.bearing_deg[scored] < 360)).all()
    assert ((found.agreement[scored] >= 0) & (found.agreement[scored] <= 1)).all()


def test_bearings_are_from_true_north(model):
    x, *_ = next(held_out_fires(1))
    here = grid(*SHAPE)
    east = replace(here, geobox=here.geobox.translate_pix(12_000, 0))  # 360 km further from the meridian
    turn = east.convergence_deg() - here.convergence_deg()
    assert abs(turn) > 0.3
    a, b = (model.predict(x, g).bearing_deg for g in (here, east))
    np.testing.assert_allclose(difference(a, b), abs(turn), atol=1e-3)


def test_save_and_load_give_the_same_predictions(model, tmp_path):
    path = model.save(tmp_path / "spread.pt")
    again = SpreadModel.load(path)
    x, _, _, scored = next(held_out_fires(1))
    a, b = (m.predict(x, grid(*SHAPE), scored=scored) for m in (model, again))
    for name in ("probability", "bearing_deg", "agreement"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert again.digest == model.digest
    assert again.card == json.loads(json.dumps(model.card))
    assert [p.name for p in tmp_path.iterdir()] == ["spread.pt"]


def test_a_seed_gives_one_model(few):
    weights = torch.random.get_rng_state()
    a, b, c = fit(few, **TINY), fit(few, **TINY), fit(few, **{**TINY, "seed": 4})
    assert a.digest == b.digest != c.digest
    assert torch.equal(weights, torch.random.get_rng_state())  # the user's own random numbers go on undisturbed


def test_the_number_of_threads_changes_nothing(few):
    assert fit(few, threads=1, **TINY).digest == fit(few, threads=3, **TINY).digest


def test_a_changed_file_is_refused(few, tmp_path):
    path = fit(few, **TINY).save(tmp_path / "m.pt")
    content = torch.load(path, weights_only=True)
    content["weights"]["head.bias"][0] += 1e-3
    torch.save(content, tmp_path / "weights.pt")
    content = torch.load(path, weights_only=True)
    content["settings"] = content["settings"].replace("Not for evacuation", "For evacuation")
    torch.save(content, tmp_path / "card.pt")
    for name in ("weights.pt", "card.pt"):
        with pytest.raises(ModelError, match="changed after it was saved"):
            SpreadModel.load(tmp_path / name)


class Opens:
    def __reduce__(self):
        return open, ("/nonexistent",)


@pytest.mark.parametrize("kind", ["missing", "text", "cut", "other", "list", "code"])
def test_what_is_no_model_is_refused(kind, few, tmp_path):
    path = tmp_path / "m.pt"
    if kind == "text":
        path.write_text("not a model")
    elif kind == "cut":
        fit(few, **TINY).save(path)
        path.write_bytes(path.read_bytes()[:-2000])
    elif kind != "missing":
        torch.save({"other": {"a": 1}, "list": [1, 2], "code": Opens()}[kind], path)
    with pytest.raises(ModelError) as error:
        SpreadModel.load(path)
    assert str(path) in str(error.value)


def test_inputs_that_do_not_fit_are_refused(model):
    x, _, _, scored = next(held_out_fires(1))
    here = grid(*SHAPE)
    with pytest.raises(ModelError, match="7 channels"):
        model.predict(x[:-1], here)
    with pytest.raises(ModelError, match="shape"):
        model.predict(x[:, :-1], here)
    with pytest.raises(ModelError, match="NaN"):
        model.predict(np.where(x == x[0, 0, 0], np.nan, x), here)
    with pytest.raises(ModelError, match="scored"):
        model.predict(x, here, scored=scored[:-1])
    with pytest.raises(ModelError, match="cells of 30 m, these are 60 m"):
        model.predict(x, grid(*SHAPE, res=60.0))


def test_channels_are_taken_by_name(model):
    x, *_ = next(held_out_fires(1))
    order = tuple(reversed(CHANNELS))
    np.testing.assert_array_equal(model.select(("more", *order), np.concatenate([x[:1], x[::-1]])), x)
    with pytest.raises(ModelError, match="'fuel'"):
        model.select(CHANNELS[:-1], x[:-1])


def test_samples_that_nothing_can_be_learned_from_are_refused(few):
    with pytest.raises(ModelError, match="nothing to learn"):
        fit(replace(few, split=np.full(len(few), "test")), **TINY)
    with pytest.raises(ModelError, match="nothing to learn"):
        fit(replace(few, burned=np.zeros_like(few.burned)), **TINY)
    with pytest.raises(ModelError, match="NaN"):
        fit(replace(few, inputs=np.where(few.inputs == 1, np.nan, few.inputs)), **TINY)
    with pytest.raises(ModelError, match="did you mean 'epochs'"):
        fit(few, epoch=3)
    with pytest.raises(ModelError, match="partner"):
        fit(replace(few, channels=(*CHANNELS[:-1], "slope_east")), **TINY)
    with pytest.raises(ModelError, match="unknown device"):
        fit(few, device="abacus", **TINY)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_refused(few):
    with pytest.raises(ModelError, match="sees no CUDA"):
        fit(few, device="cuda", **TINY)


def test_without_validation_it_says_that_it_is_not_calibrated(few):
    bare = fit(replace(few, split=np.where(few.split == "val", "buffer", few.split)), **TINY)
    assert bare.card["calibration"] == "not calibrated: no validation windows"
    assert bare.calibration.slope == (1.0, 1.0)


def test_a_time_budget_stops_training_and_is_on_the_card(few):
    short = fit(few, epochs=500, width=8, seconds=0.2)
    assert short.card["epochs_run"] < 500
    assert "time budget" in short.card["stopped"]


def test_training_stops_when_validation_no_longer_improves(few):
    card = fit(few, epochs=200, width=8, patience=2, rate=0.05).card
    assert card["epochs_run"] < 200
    assert card["epochs_run"] - card["best_epoch"] == 2


def test_the_card_tells_data_scores_and_limits(model, samples):
    card = model.card
    assert card["made_of"] == dict(samples.made_of)
    assert card["windows"] == samples.counts()
    scored = samples.of("test").scored.sum()
    assert {h["n_cells"] for h in card["test"]["hours"].values()} == {int(scored)}
    assert 0 < card["test"]["direction"]["median_deg"] < 90
    assert "Not for evacuation decisions" in card["use"]
    html = replace(model, card={**card, "grid": "<script>"})._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_progress_is_told(few):
    seen = []
    fit(few, progress=lambda *a: seen.append(a), **TINY)
    assert seen == [("training", 1, 2), ("training", 2, 2)]


def test_without_torch_the_way_out_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    spec = importlib.util.spec_from_file_location("backend_without_torch", backend.__file__)
    with pytest.raises(MissingExtra, match=r"pip install 'geolabel\[ml\]'") as error:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert isinstance(error.value, GeolabelError)
