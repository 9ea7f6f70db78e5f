"""Blue, the revision, its images and its health checks: can they carry a rollout?"""
