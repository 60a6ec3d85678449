"""Numbers, times and places as text."""

from datetime import UTC, datetime

import pytest

from geolabel.grid import LonLat
from geolabel.view import words


@pytest.mark.parametrize(
    ("value", "letters", "digits", "text"),
    [
        (-7.95, "NS", 3, "7°57.000′ S"),
        (-34.9, "EW", 3, "34°54.000′ W"),
        (34.34, "NS", 3, "34°20.400′ N"),
        (7.9999999, "NS", 3, "8°00.000′ N"),  # sixty minutes carry
        (0.0, "EW", 3, "0°00.000′ E"),
        (-118.07, "EW", 0, "118°04′ W"),
        (0.1, "NS", 1, "0°06.0′ N"),
    ],
)
def test_degrees_and_decimal_minutes(value, letters, digits, text):
    assert words.degrees_minutes(value, letters, digits=digits) == text


def test_a_place_says_latitude_first_with_its_letters():
    assert words.place(LonLat(-34.9, -7.95)) == "7°57.000′ S, 34°54.000′ W"
    assert words.decimal_place(LonLat(-34.9, -7.95)) == "−7.95000, −34.90000"


def test_local_times_follow_daylight_saving_time():
    """Los Angeles left it on 1 Nov 2009 at 09:00 UTC; India has half an hour."""
    before, after = datetime(2009, 11, 1, 8, 59, tzinfo=UTC), datetime(2009, 11, 1, 9, 0, tzinfo=UTC)
    assert words.moment(before, "America/Los_Angeles") == "Sun 1 Nov 2009, 01:59"
    assert words.moment(after, "America/Los_Angeles") == "Sun 1 Nov 2009, 01:00"
    assert words.offset(before, "America/Los_Angeles") == "UTC−07:00"
    assert words.offset(after, "America/Los_Angeles") == "UTC−08:00"
    assert words.offset(after, "Asia/Kolkata") == "UTC+05:30"


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0, "none"), (0.001, "under 5 %"), (0.05, "5 %"), (0.074, "5 %"), (0.075, "10 %"), (0.63, "65 %"), (0.95, "95 %"),
     (0.96, "over 95 %"), (1, "over 95 %"), (float("nan"), "none")],
)  # fmt: skip
def test_chances_are_rounded_to_five_per_cent(probability, text):
    assert words.share(probability) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, "within 15 min"), (7, "within 15 min"), (8, "after 0 h 15"), (67, "after 1 h"), (68, "after 1 h 15"),
     (360, "after 6 h"), (float("nan"), "time not known")],
)  # fmt: skip
def test_arrivals_are_rounded_to_a_quarter_of_an_hour(minutes, text):
    assert words.arrival(minutes) == text


def test_the_clock_of_an_arrival_is_rounded_too_and_a_time_of_a_map_is_not():
    start = datetime(2024, 11, 20, 15, 4, tzinfo=UTC)
    assert words.clock(start, 170, "America/Recife") == "Wed 15:00"
    assert words.clock(start, float("nan"), "America/Recife") == "–"
    assert words.short(start, "America/Recife") == "Wed 12:04"


@pytest.mark.parametrize(
    ("hectares", "text"),
    [
        (0, "0"),
        (0.3, "under 1 ha"),
        (1, "1 ha"),
        (34.6, "35 ha"),
        (104, "100 ha"),
        (1249, "1,200 ha"),
        (9960, "10,000 ha"),
    ],
)
def test_areas_have_two_digits(hectares, text):
    assert words.area(hectares) == text


def test_safe_text_is_text_in_html_and_in_a_template_literal():
    nasty = "<img src=x onerror=alert(1)> `${alert(2)}` \\ \" '"
    text = words.safe(nasty)
    assert not set(text) & set("<>`$\\\"'")
