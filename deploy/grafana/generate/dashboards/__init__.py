"""The five dashboards, a module each."""
