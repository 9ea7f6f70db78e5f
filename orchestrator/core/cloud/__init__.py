"""What AWS shows and what may be asked of it, as values, with the pure arithmetic on them."""
