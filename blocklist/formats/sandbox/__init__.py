"""Documents (spreadsheets, PDFs, web pages, news feeds) opened in a process of their own, under limits.

``python -m blocklist.formats.sandbox KIND OPTIONS`` reads a document from its standard input and writes its rows as
JSON, a block a line. A hostile document can end its reader in ways that no ``except`` catches: two cells at opposite
corners of a sheet make calamine ask for 550 GB, and an allocation that fails in Rust aborts the process. Here only the
child process ends, which holds no secret, no database and no lookup, and the run fails with a sentence.

Nothing here knows of feeds, options or rules: :mod:`.subprocess_reader` is the other end.
"""
