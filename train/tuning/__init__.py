"""A recipe and the rows of a corpus → a fine-tuned model. Implements `python -m train.sft`."""
