"""Machines of delta networks: a column of the weights is multiplied only if its element has changed."""
