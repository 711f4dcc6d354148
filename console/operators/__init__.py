"""The people who sign in to the console: members, accounts and their sign-ins."""
