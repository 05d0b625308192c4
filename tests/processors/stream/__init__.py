"""Tests of the analysis of a stream."""
