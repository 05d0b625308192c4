"""What the panels, the variables and the alert rules ask: SQL with the macros of the data source."""
