"""The demo: a broker, a relay, one edge with simulated plugs and a local push service, together."""
