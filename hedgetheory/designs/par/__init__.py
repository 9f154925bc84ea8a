"""PAR: the sigmoid of the centred reward."""
