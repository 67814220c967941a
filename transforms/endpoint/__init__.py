"""Requests to an OpenAI-compatible server: the client, its flags, the API key, and the HTTP transport."""
