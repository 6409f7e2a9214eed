"""Faces of the engine: what a person sees."""
