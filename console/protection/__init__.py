"""Protected accounts and groups: who they are, and what an operation on them needs."""
