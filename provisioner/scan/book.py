"""The table of the scan's rules."""

from __future__ import annotations

from typing import Final

from provisioner.rules.rule import Book

BOOK: Final = Book()
rule = BOOK.rule

AWS: Final = "https://docs.aws.amazon.com"
RDS_GUIDE: Final = f"{AWS}/AmazonRDS/latest/UserGuide"
CACHE_GUIDE: Final = f"{AWS}/AmazonElastiCache/latest/dg"
S3_GUIDE: Final = f"{AWS}/AmazonS3/latest/userguide"
CONTROLS: Final = f"{AWS}/securityhub/latest/userguide"
"""AWS's own list of controls, whose numbers the rules' sources end with."""
