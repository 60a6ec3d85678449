"""Where rooms meet: one module a step of the work."""
