"""Pages of a served site, drawn on the server; all of a page stands in its first HTML."""
