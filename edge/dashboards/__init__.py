"""OUT: retained topics that any dashboard reads without a template."""
