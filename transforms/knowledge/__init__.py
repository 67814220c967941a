"""From a knowledge graph and an encyclopaedia to texts with linked mentions and facts: pure functions."""
