"""The OpenAPI document, its examples, and which problems each call may answer with."""
