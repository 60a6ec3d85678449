"""Standard fuel models: their table, and numbers that do not exist."""

import pytest

from geolabel.errors import FireError
from geolabel.fire.behave.fuel import NON_BURNABLE, beds, check_fuel_numbers, fuel_model, fuel_models


def test_thirteen_and_forty():
    numbers = set(fuel_models())
    assert {n for n in numbers if n < 100} == set(range(1, 14))
    assert len(numbers) == 53
    assert not numbers & set(NON_BURNABLE)


@pytest.mark.parametrize("number", [4, 5, 7, 10])
def test_the_live_load_of_these_is_woody(number):
    *_, herb, woody = fuel_model(number).load_lb_ft2
    assert herb == 0 < woody


def test_dynamic_models_are_those_with_herbs():
    for model in fuel_models().values():
        if model.number > 100:  # Scott & Burgan: a model is dynamic exactly when it has a live herbaceous load
            assert model.dynamic == (model.load_lb_ft2[3] > 0)


@pytest.mark.parametrize(("number", "nearest"), [(103.0, None), (110, "109"), (0, "1 "), (97, "98"), (256, "204")])
def test_an_unknown_number_names_the_nearest(number, nearest):
    if nearest is None:
        check_fuel_numbers([int(number)])
        return
    with pytest.raises(FireError) as error:
        check_fuel_numbers([102, number])
    assert str(number) in error.value.message
    assert nearest in error.value.hint


def test_water_is_no_fuel_model():
    with pytest.raises(FireError, match="Open water"):
        fuel_model(98)


def test_beds_keep_the_order():
    assert beds([145, 1]).numbers == (145, 1)
    assert beds([145, 1]).depth_ft.tolist() == [6.0, 1.0]
