"""Predictions and gold → scores, errors and intervals: what `python -m train.score` is made of."""
