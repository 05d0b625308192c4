"""What runs segwatch on servers."""
