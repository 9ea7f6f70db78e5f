"""What the metrics say: intervals, baseline, bake, the plan `auto`, and the smallest regression that can be seen."""
