"""What Terraform and CloudFormation would send for the blocks of docs/terraform.md, replayed in the World.

Models of the two tools as far as a rollout can meet them: which calls they read with, which attributes they compare,
and which calls they then make. Nothing here is one of their programs.
"""
