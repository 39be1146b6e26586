"""The live protocol's server and Python client: WebSocket sessions that resume."""
