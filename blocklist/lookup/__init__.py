"""A request for a verdict and its answer, whoever serves it: one resolver behind every node and application."""
