"""What `manage.py pingone` can do: reads, actions, Call API and jobs, each with its options."""
