"""`python -m pasteur`."""

from __future__ import annotations

from pasteur.app import entry

if __name__ == "__main__":
    entry()
