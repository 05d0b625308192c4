"""Tests of the whole way, on a real broker."""
