"""Bid requests of OpenRTB 2.x and 3.0: what they name, and the answer."""
