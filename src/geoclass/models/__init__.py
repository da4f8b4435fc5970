"""Networks: one a module, all in one registry."""
