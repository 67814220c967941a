"""Predictions and gold → scores, error classes and intervals. Implements `python -m train.score`."""
