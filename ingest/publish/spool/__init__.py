"""Messages on disk while the bus is away: files of records, their limits, and what a crash leaves of them."""
