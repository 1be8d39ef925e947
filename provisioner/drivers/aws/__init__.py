"""Amazon Web Services: one file a type, over one session.

In the order that a call meets them:

``session``        clients, credentials, region, endpoints; the one place that calls boto3
``errors``         the one table from AWS's codes to provisioner's errors
``page``           lists in pages, read as one
``tags``           whose object it is, and which tags are the plan's; ``kms_tags`` reads those of keys, ``tagged`` knows
                   those of many objects for few calls
``ec2``            what types share whose ids AWS assigns: found by tag, or adopted by id
``named_group``    what the groups of RDS and ElastiCache share; ``arn_tags`` reads and writes their tags by ARN
``absent``         what a look has just not found, so that a create need not look again
``holders``        who is in the way of a delete; ``final`` names the last snapshot of what is deleted
``rds_proxy_access``  asks IAM why a proxy cannot log in to its database, which RDS does not tell
``lambda_code``    a function's code, and where the code before comes from; ``lambda_rules`` its limits
``traffic``        rules of a security group, ``acl_rules`` those of a network ACL, ``routes``, ``policy`` IAM
                   documents, ``windows`` of maintenance: pure comparison
``attached``       what network ACLs and route tables share: subnets that hang on them
``default_network``  what AWS made with the account, and a plan can only adopt
``alarm_base``     what alarms share; ``alarm_maths`` expressions over metrics, ``alarm_expression`` rules over alarms,
                   ``alarm_words`` what ``cpu: {critical: 90}`` means, ``alarm_set`` from words to alarms and back,
                   ``alarm_proof`` whether anybody would be told; ``dashboard_widgets`` from widgets to JSON and back
``bill_rds`` …     what AWS bills for the types of a service, in the ids of the price lists; ``thrift``: what could
                   be had for less
``account`` …      the types; ``provisioner.drivers.typemap`` lists them

What every type keeps: the ownership tag is in the create call; ``read`` finds the object by nothing but its
key; no call is repeated, no state is waited for. Where one object takes several calls, the first one makes
it ours and a read shows what the others have not done yet as differences, so that an update completes what
a crash interrupted.

Weaknesses. KMS cannot be searched by tag, so the first look for a key reads the tags of all keys of the
account. Aliases, staging labels, subscriptions, rotations and permissions take no tags: their ownership is written on
the object that they hang on. A search for a deployment whose record was lost looks in its own region and in those that
its plan or record names for a step of a type that has a ``region``, and of roles, functions and log groups, of which an
account may have thousands, asks only those whose name has the deployment's in it; those of a step that is in the plan
are found by their key all the same. IAM, KMS and EC2 are eventually
consistent; the types say how long (``grace``), and the engine waits.
"""
