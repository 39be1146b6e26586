"""Tools for those who work on laundryd; nothing here is part of the distribution."""
