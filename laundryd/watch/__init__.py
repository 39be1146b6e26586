"""``laundryd watch``: follow one room from a terminal."""
