"""AWS Lambda, our own: strict where moto is lax, and its functions really run.

``service``      the table of operations
``state``        functions, their published versions, what each shows of itself
``checks``       what a configuration, and the zip file of its code, must be
``manage``       create, look, change, delete; ``versions`` published ones, ``policy`` who else may call
``invoke``       a call: the function's zip unpacked, its handler run by ``bootstrap`` in a process of its own

As on AWS a function is Pending before it is Active, one change at a time is under way, and a function in a VPC leaves
network interfaces behind for a while, which hold its security groups (``provisioner.sandbox.aws.interfaces``).

Weaknesses: whatever the runtime's version says, the sandbox's own Python runs the code, with the libraries that are
installed there, and other languages are refused when they are called. A function runs as the user who started the
sandbox, in no container: run nobody else's code in it. Memory bounds the address space, CPU is not divided. A call of
the type Event is carried out at once and once. There are no layers, aliases, URLs and event sources.
"""
