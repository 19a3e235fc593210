"""What a feed's definition may say, and the catalog of definitions in ``feeds/``."""
