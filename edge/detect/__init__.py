"""When a machine's cycle started and ended, from the power of its plug. Pure: the clock is an argument."""
