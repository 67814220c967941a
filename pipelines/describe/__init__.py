"""Texts and figures about a finished corpus: statistics, card, Croissant, citations."""
