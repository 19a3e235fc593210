"""Bid requests of OpenRTB 2.x and 3.0: the fields to judge, and the answer."""
