"""Documents (spreadsheets, PDFs, web pages, news feeds) read in a subprocess, under limits of memory and CPU time.

``python -m blocklist.formats.sandbox KIND OPTIONS`` reads a document from standard input and writes its rows as JSON,
one block of rows per line. A hostile document can end its reader in ways that no ``except`` catches: two cells at
opposite corners of a sheet make calamine ask for 550 GB, and a failed allocation in Rust aborts the process. Here only
the child process ends, which has no secret, no database and no lookups, and the run fails with a sentence.

:mod:`.subprocess_reader` runs in the parent process; the other modules run in the child, and import nothing of this
package but each other: pydantic and the like would cost the child time and memory.
"""
