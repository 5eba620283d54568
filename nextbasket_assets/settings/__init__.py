"""What the environment asks for, read and refused before anything is made."""
