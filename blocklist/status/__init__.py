"""Read models: the state of feeds and the statistics that pages, metrics and alerts show."""
