"""Emails that tell users what happened to their account, each with a link for "this was not me"."""
