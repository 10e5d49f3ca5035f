"""processing: raw bytes become codes."""
