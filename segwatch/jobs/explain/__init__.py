"""The job behind ``segwatch explain``."""
