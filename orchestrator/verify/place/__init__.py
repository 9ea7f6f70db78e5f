"""The throw-away service: its shapes, its making with a journal, and its removal."""
