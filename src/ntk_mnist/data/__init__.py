"""Datasets: what is known of them, where they come from, and what both sides see of them."""
