"""T-REG: token-level regularisation of DPO."""
