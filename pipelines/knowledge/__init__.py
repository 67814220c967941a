"""A knowledge graph in Wikidata's form and an encyclopaedia → a themed corpus of texts with linked mentions and facts.

The method is that of KG2Instruction (Gui et al. 2023, "InstructIE: A Chinese Instruction-based Information Extraction
Dataset", arXiv 2305.11527). docs/knowledge.md describes the stages and how good the result is.
"""
