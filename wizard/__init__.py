"""The engine: reads a node, plans, applies, verifies, takes back. Knows no screen."""
