"""Items of a knowledge graph and paragraphs of an encyclopaedia → texts with linked mentions and facts."""
