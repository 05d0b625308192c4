"""Messages on the bus: Arrow IPC streams of one record batch, and what their metadata say (docs/records.md)."""
