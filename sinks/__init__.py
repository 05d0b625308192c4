"""Findings into ClickHouse: schema, writer, sessions, and the local server."""
