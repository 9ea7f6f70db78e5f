"""The whole of Teal's judgement, pure: standard library only, no I/O, no clock, no chance, no log.

Start reading at ``decide``. What goes in is a ``Rollout`` (the row) and a ``Seen`` (this tick's observations);
what comes out is a ``Decision``: the next row, the effects to perform, events, records, and when to look again.
"""
