"""Policies: what each role may do, who may do what and why, viewing as a member, and the lock down."""
