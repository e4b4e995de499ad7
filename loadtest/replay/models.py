"""The models of all slices, so that Django finds them."""
