"""The relay: it knows who wants to hear about which laundry room, and tells each resident once."""
