"""Where alerts go to: one module for each kind of sink, all behind `core.alerts.AlertSink`."""
