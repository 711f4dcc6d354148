"""The organization's own plans: edited, saved as versions, exported and imported."""
