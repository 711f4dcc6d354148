"""The invented organization every sandbox starts with."""
