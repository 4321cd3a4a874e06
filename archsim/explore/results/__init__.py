"""What an exploration found, as tables, figures and pages."""
