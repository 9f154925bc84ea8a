"""Feynman–Kac steering: particles, potentials, resampling."""
