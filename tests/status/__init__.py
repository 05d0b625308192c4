"""Tests of the status of the pipeline."""
