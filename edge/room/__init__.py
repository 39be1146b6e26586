"""The room's state machine, pure: commands and signals in, changes with their notices out."""
