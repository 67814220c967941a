"""HTML pages in one file: what a page itself says, in several languages, and the document around its content."""
