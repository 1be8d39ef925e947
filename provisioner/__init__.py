"""provisioner: deploy production databases through the cloud SDKs, and undo what failed."""

__version__ = "0.1.0"
