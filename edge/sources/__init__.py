"""What plugs say over MQTT, turned into readings: each make of plug is one small file behind one door."""
