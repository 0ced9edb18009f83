"""Infinite-width kernels: Gram matrices, predictions under gradient flow, calibration."""
