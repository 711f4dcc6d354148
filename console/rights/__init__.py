"""Rights: the permissions, the roles that give them, and viewing as another member."""
