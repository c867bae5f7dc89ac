"""What proposes passages: made from the store, and never the truth."""
