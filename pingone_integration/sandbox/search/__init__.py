"""The search for users among a million: filters as conditions, index ranges to walk, positions for cursors."""
