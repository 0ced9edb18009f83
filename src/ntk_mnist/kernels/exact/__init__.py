"""The exact solve of training sets that are too large to diagonalize."""
