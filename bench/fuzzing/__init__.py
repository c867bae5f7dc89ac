"""Bad files by the thousand, and what must hold for each of them."""
