"""Many fires: what is not known of them, and what they had in common."""
