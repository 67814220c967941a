"""A recipe and the rows of a corpus → a tuned model: what `python -m train.sft` is made of."""
