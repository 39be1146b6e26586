"""Setting a relay up: its folder and keys, the broker's files, and one enrolment a room."""
