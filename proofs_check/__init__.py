"""Each result restated independently: the argument in words, every step checked by machine.

Plain sympy, balls and counting; the package is called only in a last step, which shows that its
claim of the same id says the same thing. Run `python -m proofs_check` from the checkout.
"""
