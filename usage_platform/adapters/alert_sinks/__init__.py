"""Where alerts are sent: one module for each kind of sink, behind `core.alerts.alert.AlertSink`."""
