"""Samplers: `select.select` among scored responses, `sample.sample` from a law.

Both act in binary64 and draw from the generator that they are given, never from a global one.
"""
