"""The machines that engines run on: their clocks, and processes that are stopped and go on."""
