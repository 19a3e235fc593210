"""The tables, as migrations that are never edited once released."""
