"""One round of the peer of sync_backlog_bench: PGSync brings a backlog of changed rows to OpenSearch.

    python round.py URL FIRST SECOND     files of lines: id, tab, JSON body; SECOND are changes of FIRST

It is not running while the rows change. The clock runs from its start until it has ended by itself, less what it takes
to start when there is nothing to do. The last line is JSON.
"""
import json
import sys
import time

from pgsync_run import PgSync, write_documents  # it makes shared/ known
from documents import make_table
from servers import Postgres, Redis


def seconds_of(work):
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def main(url, first, second):
    postgres, redis = Postgres(), None
    try:
        redis = Redis()
        make_table(postgres)
        write_documents(postgres, first)
        documents = int(postgres.sql("SELECT count(*) FROM document"))
        sync = PgSync(postgres, redis, url)
        sync.run("bootstrap")
        initial = seconds_of(lambda: sync.run("pgsync"))
        start = min(seconds_of(lambda: sync.run("pgsync")) for _ in range(2))
        changing = seconds_of(lambda: write_documents(postgres, second))
        backlog = seconds_of(lambda: sync.run("pgsync"))
        changed = sync.index.count({"term": {"attempts": int(postgres.sql("SELECT max(attempts) FROM document"))}})
        if changed != documents:
            raise AssertionError(f"{changed} of {documents} documents were brought")
        sync.index.drop()
        print(json.dumps({"documents": documents, "seconds": backlog - start, "start_seconds": start,
                          "initial_seconds": initial - start, "writing_seconds": changing}))
    finally:
        if redis:
            redis.stop()
        postgres.stop()


main(*sys.argv[1:])
