"""The authorization server of the stand-in: sign-in, consent and tokens, on Authlib's server framework."""
