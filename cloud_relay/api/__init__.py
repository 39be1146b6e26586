"""HTTP and WebSocket: what residents' apps ask, and who may ask it."""
