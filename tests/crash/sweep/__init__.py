"""The crash sweep: credlink in the sandbox, killed at every request it sends and at every durable operation.

In the order in which a death meets the parts:

1.  ``points``   what can be died at: the moments of one clean run of each verb, counted; pairs of them, drawn.
2.  ``crew``     workers that take points from a heap; ``__main__`` is ``scripts/crash-sweep``.
3.  ``stories``  start here: verb by verb what is killed, what a person types next, and what must hold then.
4.  ``house``    one sandbox, one home, one fork server; every run of ``provisioner`` goes through it.
5.  ``forge``    forks the process under test from one that has its imports behind it.
6.  ``child``    that process: the real entry point, with hooks.
7.  ``hooks``    tell it of its moments: requests, connections of gates, durable operations (on files, or on the
                 objects of a record in a bucket); before and after each.
8.  ``moments``  names them, counts them, and kills the process at the chosen one with SIGKILL.
9.  ``checks``   the cloud's inventory is the record; nothing twice, nothing left, no secret told, the password fits.
10. ``report``   JSON lines, the table, and the command that plays one point again.

A moment's name is what happens (``after rds.CreateDBInstance db 1``), so it is the same moment in another run though
other things happen beside it. A run that ends before its moment comes is tried twice more and then counted as not
reached. Moments at which a request has left and its answer has not come are ``sent``.

Most recoveries begin after a while: what the dead process sent has landed, and the clock is 20 s further on, so that
nothing waits for a cloud to show what it may still hide. One in twelve begins at once and waits in earnest.

Weaknesses. The processes under test are forked, so a death during their imports is not among the moments (nothing has
happened then). A death in the middle of one write is not either: the toy cloud's tests have it. Deaths by power cut,
which lose what was not synced, are the state's own tests. With the record in a bucket the renewals of its lock are
moments only where one falls due, and a request to the bucket that has left without its answer is none.
"""
