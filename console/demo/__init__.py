"""`make demo`: who is in it, and the processes it is made of. Nothing here needs Django or a setting."""
