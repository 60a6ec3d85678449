"""Items - points, whole images - that several people gave one label each: consensus, skill, calibration."""

from geolabel.quality.items.agree import Items, agree_items
from geolabel.quality.items.calibration import Calibration, calibration
from geolabel.quality.items.choose import METHODS
from geolabel.quality.items.pairs import Pair, pair
from geolabel.quality.items.place import agreed_points
from geolabel.quality.items.table import Names

__all__ = ["METHODS", "Calibration", "Items", "Names", "Pair", "agree_items", "agreed_points", "calibration", "pair"]
