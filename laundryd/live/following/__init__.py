"""What a client of the live protocol decides, pure: time and randomness are arguments. No I/O."""
