"""What a plan costs a month, without a cloud, an account or a network: from dated price lists that come along.

In the order in which a plan meets the parts:

1. :mod:`provisioner.charge`   the words of the types: each says what of its objects is billed, and how much of it.
2. ``usage``      what only the users of a deployment know (requests, gigabytes), from a file.
3. ``tables``     the price lists, ``tables/*.json``: a price a line, with its source and its date. A list is loaded
                  when a charge names it. A region without prices of its own has a factor, told to be an estimate.
4. ``bill``       start here: :func:`estimate` turns a plan's outline into lines, steps and a sum.
5. ``compare``    two bills beside each other: environments, or a plan and what is deployed.
6. ``limits``     a bill against the plan's budget.
7. ``free``       how much of a provider's free allowances it takes.
8. ``advice``     what would cost less, each with the money that it saves.

No cloud's name occurs in here but in the data. What has no price in the lists is shown as not known and never taken
for 0: the sum is then said to be a lower bound.

Weaknesses. Taxes, data transfer between zones and to the internet (but for what the usage file says), and discounts
that were agreed upon are not in it. The lists know the regions and classes that they know, as of the date of each line.
"""

from provisioner.cost.bill import Estimate, Line, Promise, StepCost, estimate
from provisioner.cost.usage import Usage

__all__ = ["Estimate", "Line", "Promise", "StepCost", "Usage", "estimate"]
