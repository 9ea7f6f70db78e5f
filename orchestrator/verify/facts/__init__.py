"""What was seen: every call and refusal, every datapoint's coming, and how all of it loses its names."""
