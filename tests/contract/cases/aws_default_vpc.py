"""aws.default_vpc: adopted, never made."""

from tests.contract.case import Case

CASE = Case(spec=lambda world: {}, made=False)
