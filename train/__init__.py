"""Instruction shards → a fine-tuned language model, its predictions and their scores. Never loads Beam."""
