"""Single sign-on: operators sign in by the OpenID provider of this server, and its groups give them roles."""
