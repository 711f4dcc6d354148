"""Starting the server: settings that cannot be right, gunicorn and worker side by side, health checks."""
