"""The plan: a checked config, the cells that it asks for, and what each of them takes."""
