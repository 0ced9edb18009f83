"""The commands, one a module: parse the arguments, read, compute, write."""
