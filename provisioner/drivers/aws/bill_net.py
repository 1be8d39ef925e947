"""What VPC and Lambda bill: the price lists ``aws.net`` and ``aws.lambda``."""

from __future__ import annotations

from typing import Any

from provisioner.charge import Charge, Uses, hours, months


def nat_gateway(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """By the hour and by what passes."""
    note = "730 h, a twelfth of a year; a month of 30 days has 720 h and comes to 32.40"
    passed = use("data_gb", "GB that pass through it")
    return [hours("aws.net/nat", "NAT gateway", note=note), months("aws.net/nat-data", "data processed", passed)]


def elastic_ip(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """A public IPv4 address costs the same in use and idle."""
    return [hours("aws.net/ipv4", "public IPv4 address", note="billed since February 2024, in use or idle")]


def endpoint(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """An interface endpoint by the hour in each zone and by what passes; a gateway is free."""
    if item.get("kind") == "gateway":
        return []
    subnets = item.get("subnets")
    zones = len(subnets) if isinstance(subnets, list) and subnets else 1
    passed = use("data_gb", "GB that pass through it")
    note = "" if subnets else "its subnets are not known: taken to be one"
    return [
        hours("aws.net/endpoint", "interface endpoint in a zone", zones, note=note),
        months("aws.net/endpoint-data", "data processed", passed, note="0.01 up to 1 PB a month and region"),
    ]


def function(item: Any, outline: Any, use: Uses) -> list[Charge]:
    """By its calls, and by the memory that they hold for as long as they run."""
    calls = use("requests", "calls")
    took = use("duration_ms", "milliseconds that a call takes on the average", 200)
    memory = item.get("memory_mb") or 128
    chips = item.get("architectures") or item.get("architecture") or "x86_64"
    chip = chips[0] if isinstance(chips, list) else chips
    compute = calls * took / 1000 * memory / 1024
    return [
        months("aws.lambda/requests", "calls", calls / 1_000_000),
        months(f"aws.lambda/{chip}", f"compute at {memory} MB", compute),
    ]
