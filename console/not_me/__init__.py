"""What follows when a user says "this was not me" by the link in an email."""
