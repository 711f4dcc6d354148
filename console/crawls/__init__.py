"""Crawls: the worker reads each population whole once a day, and knows who came, who left and who was active when."""
