"""The formulas behind `hedgetheory.functionals.float64`, one file for each noun."""
