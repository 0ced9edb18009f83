"""What a person reads of a run: before it, while it runs, and after it."""
