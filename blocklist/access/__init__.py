"""Who may use the control plane: identities and their secrets. Knows neither HTTP nor SQL."""
