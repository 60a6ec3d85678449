"""Wind and fuel moisture in time, and where they are read from."""
