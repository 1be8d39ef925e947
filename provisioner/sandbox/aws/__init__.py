"""The AWS control plane on loopback, in the order in which a request meets its parts.

``gateway``       the one door: told apart, logged, delayed, struck by a fault, answered
``call``          a request, an answer, an error; ``identify`` finds out what a request asks for, ``models`` is what
                  botocore knows of services, ``protocol`` writes errors as each protocol has them
``requestlog``    the calls that arrived, counted; ``ratelimit`` refuses those that are too many
``services``      our own strict services, ``rds``, ``elasticache`` and ``functions`` (AWS Lambda): ``strict`` is what
                  they share, ``query`` and ``rest`` their protocols, ``lifecycle`` how their objects pass through
                  states, ``windows`` how weeks and days overlap
``wire``          what a rule reads of a call and answers, in the query protocol or in JSON
``rules``         what moto would let pass and AWS would not; ``moto_app`` is moto itself, behind everything else,
                  and ``motopace`` what it would otherwise work out anew for every call
``interfaces``    the network interfaces by which databases, caches and functions are in their subnets;
                  ``natgateways`` those of NAT gateways, and their states; ``endpoints`` those of VPC endpoints
``neighbours``    what our services ask about moto's objects: does this subnet, key, role, topic exist?
``access``        what a role may do, for services that act in its name; ``policies`` reads the documents
``databases``     what they ask of the real databases; ``jobs`` asks in the background, ``idents`` names them
``world``         what all of these share: options, clock, moto, databases
``alarmwatch``    evaluates alarms: ``datapoints`` are what they compare, ``maths`` the expressions; ``delivery`` takes
                  what topics are told to ``inbox``, where it can be read
``inventory``     every object that somebody made

Any AWS client works against it by its endpoint URL. A signature has to be there and is not checked: everybody is the
one account 123456789012. moto answers at once, without states between; only RDS, ElastiCache, Lambda,
NAT gateways and VPC endpoints take their time.

Weaknesses: a caller's own policies are never evaluated, so a call is denied only where a fault says so. Consistency is
immediate but for the fault ``unseen``. One service of moto answers one call at a time.
"""
