"""HTTP: the Flask application that answers lookups, and for the control plane evidence and pages."""
