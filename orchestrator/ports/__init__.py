"""What the engine, the doors and those who tell of rollouts need of the outside; one file a caller's purpose.

A port holds what one caller needs: functions take the narrow one, and an adapter fulfils several. Contract suites
(`tests/contract`) hold the adapters to what the methods promise. Protocols and the values that they speak of stand
here, and nothing else.
"""
