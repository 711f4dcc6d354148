"""The parts that every page shares: frame, form rendering, icons, exported files."""
