"""Two ways of building a corpus → how their models differ: what `python -m train.compare` is made of."""
