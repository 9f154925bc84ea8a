"""Exact theory of inference-time reward hacking: policies, proofs, certificates and HedgeTune."""

__version__ = "0.1.0"
