"""The generated pages, one module each: `page()` returns a page's whole text."""
