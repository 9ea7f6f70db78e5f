"""Who asks: bearer tokens and OpenID Connect, and what each role may call. Knows nothing of HTTP beyond one header."""
