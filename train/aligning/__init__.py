"""A fine-tuned model and pairs of answers, or rewards → an adapter. Implements `python -m train.tune`."""
