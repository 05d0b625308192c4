"""The job behind ``segwatch report``."""
