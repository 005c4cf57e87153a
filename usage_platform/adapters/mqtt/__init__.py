"""MQTT: what devices publish at a broker."""
