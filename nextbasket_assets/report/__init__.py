"""What people look at: the lake's numbers as tables and pictures."""
