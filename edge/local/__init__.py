"""OUT: residents in the room, over the edge's own page and sockets. Works with the cloud away."""
