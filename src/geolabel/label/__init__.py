"""Labels made by rule: burn scars with severity, terrain classes, settlements."""
