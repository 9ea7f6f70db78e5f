"""One account's and region's clients: calls, rate limits, errors, credentials, and AWS's clock."""
