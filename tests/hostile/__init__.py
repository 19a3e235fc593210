"""Hostile publishers and failing machines: what must hold whatever a body says, and wherever a process ends."""
