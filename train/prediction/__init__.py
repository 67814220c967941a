"""Rows or a user's texts and a model → answers and annotations. Implements `python -m train.predict`."""
