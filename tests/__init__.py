"""Tests of segwatch."""
