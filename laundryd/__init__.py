"""laundryd: knows what every machine of a shared laundry room is doing, and tells each resident once."""

__version__ = "0.1.0"
