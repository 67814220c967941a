"""Label sets → for each label the labels it is confused with (hard negatives), and how good they are."""
