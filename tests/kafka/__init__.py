"""Tests of the bus, on a real broker."""
