"""The kernels NNGP and NTK of infinitely wide networks, each entry to rounding."""
