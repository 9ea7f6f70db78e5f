"""Golden rows: rollouts under way as a version of Teal left them in a store, and the World that each was in.

``generate.py`` writes a folder of them with the code that is checked out; `tests.store.test_rows_of_earlier_versions`
reads every folder with the code of its own day, and lets each rollout go on. A folder that was written is never
written again by later code: that would only prove that a version reads what it wrote itself.
"""
