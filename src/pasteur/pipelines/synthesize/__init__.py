"""synthesize: codes become a model, and the model synthetic data."""
