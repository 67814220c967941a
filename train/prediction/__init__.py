"""Rows or a user's texts and a model → answers and mentions: what `python -m train.predict` is made of."""
