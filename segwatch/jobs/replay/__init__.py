"""The job behind ``segwatch replay``: stored traffic through the engine again, and what differs."""
