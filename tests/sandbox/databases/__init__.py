"""Tests of the sandbox's databases: real servers, on loopback only."""
