"""The terminal's door: parses, asks one command or view of the engine, and shows the answer. No judgement here."""
