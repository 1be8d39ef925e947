"""The table of preflight's rules."""

from __future__ import annotations

from typing import Final

from provisioner.rules.rule import Book

BOOK: Final = Book()
rule = BOOK.rule

AWS: Final = "https://docs.aws.amazon.com"
RDS_GUIDE: Final = f"{AWS}/AmazonRDS/latest/UserGuide"
CACHE_GUIDE: Final = f"{AWS}/AmazonElastiCache/latest/dg"
VPC_GUIDE: Final = f"{AWS}/vpc/latest/userguide"
WATCH_GUIDE: Final = f"{AWS}/AmazonCloudWatch/latest/monitoring"
