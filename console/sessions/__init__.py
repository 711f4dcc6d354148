"""Sessions of browsers: where they are kept, how long they last, and what counts as use."""
