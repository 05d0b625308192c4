"""Tests of the compiled decoder."""
