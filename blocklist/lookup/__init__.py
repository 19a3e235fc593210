"""Requests for verdicts and their answers: one resolver behind the lookup node and the Flask application."""
