"""Rules: who comes into a population gets groups, and perhaps loses them again on leaving it."""
