"""Files: Parquet shards and tables, checkpoints, compiled programs, and what made each file."""
