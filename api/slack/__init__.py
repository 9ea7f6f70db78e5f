"""The Slack door: clicks, dialogs and `/teal`, each signed by Slack, each one command or one view."""
