"""Consensus: the answers to a task fused, by the method that gold speaks for."""
