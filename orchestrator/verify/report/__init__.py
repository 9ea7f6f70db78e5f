"""The report: facts for programs (JSON) and a page for people (Markdown), neither of which names anybody."""
