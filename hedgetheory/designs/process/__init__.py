"""Clipping and Delta: process rewards that do not pay for more steps, as laws of their sum."""
