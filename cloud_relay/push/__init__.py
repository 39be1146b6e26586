"""Web Push: the one place that speaks to push services, behind a queue that survives a kill."""
