"""The results of an exploration, as tables, figures and pages."""
