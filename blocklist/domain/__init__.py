"""The vocabulary of the domain as types, its errors, and its clock. Nothing here imports another room."""
