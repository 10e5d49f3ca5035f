"""benchmark: synthetic data is scored beside its anchors."""
