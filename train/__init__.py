"""Instruction shards → a fine-tuned language model, its predictions and their scores. Does not import Beam."""
