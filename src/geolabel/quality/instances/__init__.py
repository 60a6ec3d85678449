"""Objects that several people drew: which are the same, which are there, their shapes, and how good what was found is."""

from geolabel.quality.instances.agree import agree_objects
from geolabel.quality.instances.matching import Matched, ObjectSkill, match, object_skill

__all__ = ["Matched", "ObjectSkill", "agree_objects", "match", "object_skill"]
