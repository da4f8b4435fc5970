"""A model of the user's own library, from the labels in its tags."""
