"""Django admin with a model of its own: the peer that page_cost.py compares the console's pages with."""
