"""Packaged resources: no code lives here."""
