"""API keys for people: whose they are, what they spend, what protects them, and who was seen to change them."""
