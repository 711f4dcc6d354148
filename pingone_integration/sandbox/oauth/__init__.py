"""The authorization server of the stand-in: sign-on, consent and tokens, on Authlib's server framework."""
