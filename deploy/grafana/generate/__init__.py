"""Dashboards and alert rules of Grafana, written once in Python: ``make dashboards`` makes the JSON of them."""
