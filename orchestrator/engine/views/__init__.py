"""What people and programs are shown, made from the store alone."""
