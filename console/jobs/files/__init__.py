"""Lists in files: what an uploaded CSV says, read so that a bad file is refused with its line and nothing half done."""
