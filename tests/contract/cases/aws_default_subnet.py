"""aws.default_subnet: adopted, never made."""

from tests.contract.case import Case

CASE = Case(
    spec=lambda world: {"availability_zone": "us-east-1b"},
    made=False,
    invalid=({"availability_zone": None}, {"zone_index": 0}, {"availability_zone": None, "zone_index": 16}),
)
