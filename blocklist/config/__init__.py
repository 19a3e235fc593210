"""The settings, where alerts are sent, and the logs."""
