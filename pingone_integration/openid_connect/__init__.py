"""Signing people in by the OpenID provider of this server (OpenID Connect): the protocol's client side."""
