"""The configuration: settings, notification channels, logging."""
