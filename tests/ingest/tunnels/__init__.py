"""Tests of the slow, broad decoder."""
