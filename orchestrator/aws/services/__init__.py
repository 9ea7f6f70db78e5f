"""One file an AWS service, and the shapes of their requests and answers."""
