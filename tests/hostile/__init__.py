"""Hostile publishers and failing machines: what must hold for every body, and wherever a process ends."""
