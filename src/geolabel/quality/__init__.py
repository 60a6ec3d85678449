"""Quality: consensus of several annotators, their skill on gold tasks, and simulated annotators to prove it on."""
