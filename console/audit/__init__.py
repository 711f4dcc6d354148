"""The audit log: its entries, hash chain, search and wording."""
