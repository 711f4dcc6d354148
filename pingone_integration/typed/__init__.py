"""What people type or paste, cleaned, and names as PingOne can hold them."""
