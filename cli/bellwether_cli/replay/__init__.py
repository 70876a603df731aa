"""Files of past events (CSV, JSON lines) mapped to canonical events and sent to the intake."""
