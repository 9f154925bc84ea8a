"""SuperHF: filter the best, imitate, stay near the prior."""
