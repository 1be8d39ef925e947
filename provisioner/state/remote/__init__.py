"""A record in a bucket: the same snapshot, journal and audit as in a directory, written with conditional requests.

1. ``stores``   start here: ``open_backend("s3://…", deployment)``. ``s3``: what only S3 has.
2. ``backend``  what readers see, and how to get hold of the pen.
3. ``lease``    one writer: a lock object that its holder renews, judged by the store's clock.
4. ``pen``      what the writer does: a commit is one object that is created, never overwritten.
5. ``objects``  the names in the bucket, and putting the journal together.
6. ``bucket``   get, list, create, update, delete over obstore, with our errors.
7. ``safety``   public buckets are refused.

What holds is what ``provisioner.state`` promises, with two differences: an audit line is durable when its run begins,
ends or closes, or ten seconds later, so a killed process may take its last ones along; and a commit costs one request.

Weaknesses. The store must honour ``If-None-Match`` and ``If-Match`` on writes: S3, Cloud Storage and Azure Blob do;
some look-alikes accept and ignore them. Objects that a bucket's own life-cycle rules remove are damage like any other.
"""
