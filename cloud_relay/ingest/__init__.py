"""From the rooms over MQTT: dedupe, order, keep, then acknowledge; and commands on their way down."""
