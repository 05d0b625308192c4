"""Tests of what processes say of themselves."""
