"""Hostile input: mutated frames through decoder and analysis, by the million."""
