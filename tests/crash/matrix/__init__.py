"""The fault matrix: every step of credlink, struck by every fault, on the way up, in a change, and on the way down.

In the order in which a reader needs them:

``table``        the faults (rows), the verbs (columns), and what must come of each cell; which cells cannot be, and why
``steps``        by type: the calls that make, change and remove its object, and the change that an update makes
``rig``          one step of credlink over a sandbox, with clients that soon lose patience
``bench``        goes from cell to cell of one step; what it deployed for one is where the next begins
``test_matrix``  the table's own sense, and the spread of cells that the suite has time for
``__main__``     the long form: all cells, by ``scripts/fault-matrix``; prints the table and what reproduces each wrong one

A cell is: bring the object to where the verb begins, put the fault in force on one call, run the command, and look at
everything: exit code, result, the error's code, what remains and with which command, how the object stands (read by a
driver of its own, and compared with how it looked in a clean round), that state and cloud agree, that no secret got
out. Then the fault goes, and the next command must get where the table says; the same again must have nothing to do.

Weaknesses. The fault is alone: two at once are the random engine tests' affair. A 500 and a lost connection strike once
or twice and pass; that they stay is left to the engine's tests of its retries. The sandbox's own idea of eventual
consistency is one replica that lags as a whole object, not field by field.
"""
