"""The data plane's tasks: real processes, started and stopped as the World says."""
