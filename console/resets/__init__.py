"""Whether users used the recovery code or new password that an operator sent them."""
