"""Two ways of building a corpus → the difference of their models' scores. Implements `python -m train.compare`."""
