"""Command lines that tests parse leave the environment as it was."""

from tests.cli.conftest import same_environment

__all__ = ["same_environment"]
