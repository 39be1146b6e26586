"""What any of our processes needs around its own work: clock, logs, database, broker, tokens, HTTP."""
