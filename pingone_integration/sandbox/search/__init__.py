"""Finding users among a million: filters as conditions, index ranges to walk, cursors to go on with."""
