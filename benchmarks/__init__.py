"""What it costs: benchmarks that ``make bench`` runs; ``README.md`` says what they found."""
