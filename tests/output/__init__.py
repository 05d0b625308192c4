"""Tests of what segwatch writes."""
