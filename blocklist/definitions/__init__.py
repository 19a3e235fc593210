"""Feed definitions: their model, how they are changed in part, and the catalog in ``feeds/``."""
