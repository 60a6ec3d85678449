"""Houffalize: fourteen samples of wind of one hour are a mean and a spread, never fourteen hours."""

import numpy as np
import pandas as pd
import pytest

from geolabel.errors import FireError
from geolabel.fire.weather.samples import read_samples
from geolabel.fire.weather.series import read_csv
from support import data_folder

TOLD = {
    "columns": {"WS": "speed_km_h", "WD": "from_deg"},
    "timezone": "Europe/Brussels",
    "time_format": "%d/%m/%y %H:%M",
}


@pytest.mark.real
def test_houffalize():
    path = data_folder("fire-houffalize") / "Weather.csv"
    with pytest.raises(FireError, match="14 rows at 2025-04-12T12:00Z: samples of one time"):
        read_csv(path, **TOLD)
    made = read_samples(path, hours=6, **TOLD)
    rows = pd.read_csv(path)
    to = np.exp(1j * np.radians(rows["WD"]))
    mean = (rows["WS"] / 3.6 * to).mean()
    assert made.weather.speed_m_s[0] == pytest.approx(abs(mean))
    assert made.weather.from_deg[0] == pytest.approx(np.degrees(np.angle(mean)) % 360)
    off = np.angle(to / (mean / abs(mean)), deg=True)
    assert made.direction_deg == pytest.approx(np.sqrt((off**2).sum() / 13))
    assert (made.n, made.weather.end_hours) == (14, 6)
    assert made.weather.start.isoformat() == "2025-04-12T12:00:00+00:00"
