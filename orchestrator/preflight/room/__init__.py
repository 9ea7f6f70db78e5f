"""Is there room for both colours, and what does it cost?"""
