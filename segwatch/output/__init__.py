"""Labelled segments as text and as tables: what ``segwatch labels`` writes, and the filter that chooses rows."""
