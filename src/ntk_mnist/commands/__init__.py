"""One module a command: its arguments, and what it reads, calls and writes."""
