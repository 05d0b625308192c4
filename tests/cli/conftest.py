"""Commands that run in the process of the tests leave its environment as it was."""

import os
from collections.abc import Iterator

import pytest

from segwatch.settings import settings


@pytest.fixture(autouse=True)
def same_environment() -> Iterator[None]:
    """Take back what flags have put over settings."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)
        settings.cache_clear()
