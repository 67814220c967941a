"""Label sets → the hard negatives of each label (labels that it is confused with), and their evaluation."""
