"""What a history and the servers' final state prove."""
import collections
import csv
import hashlib
import io
import json
import os
import subprocess
import urllib.request

from tests.cluster import stack
from tests.cluster.history import operations_of


def faults_of(lines, stored):
    """Everything that breaks a promise: lost, doubled or unresolved. `stored`: record name -> its revs in the store."""
    faults = []
    changes = collections.defaultdict(list)
    for op, operation in operations_of(lines).items():
        if operation.outcome is None:
            faults.append(f"operation {op} ({operation.function} of {operation.record}) was never resolved")
        elif operation.outcome == "ok" and operation.function != "get":
            changes[operation.record].append(operation.end["rev"])
    for record, revs in changes.items():
        found = stored.get(record, [])
        if len(found) > 1:
            faults.append(f"{record} was created {len(found)} times")
        elif not found:
            faults.append(f"{record} was acknowledged and is lost")
        elif found[0] < max(revs):
            faults.append(f"{record} was acknowledged at rev {max(revs)} and is at {found[0]}")
        elif sorted(revs) != list(range(1, found[0] + 1)):
            faults.append(f"{record} is at rev {found[0]}, acknowledged were {sorted(revs)}")
    faults += [f"nobody created {record}" for record in stored if record not in changes]
    return faults


def stored_revs(schema):
    """Record name -> revs of the jobs that carry it, read from the primary itself."""
    revs = collections.defaultdict(list)
    for name, rev in stack.sql(f"SELECT body->'labels'->>'record', rev FROM {schema}.job "
                               "WHERE body->'labels'->>'record' IS NOT NULL"):
        revs[name].append(int(rev))
    return revs


def stored_documents(schema):
    """Id -> (rev, hash of the body, tombstone) of all jobs in the store."""
    out = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c",
                          f"COPY (SELECT id, rev, md5(body::text), tombstone FROM {schema}.job) TO STDOUT CSV",
                          os.environ["A4C_TEST_POSTGRES_DSN"]], text=True, capture_output=True, check=True, timeout=120)
    return {row[0]: (int(row[1]), row[2], row[3] == "t") for row in csv.reader(io.StringIO(out.stdout))}


def indexed_documents(index):
    """The same of what the index shows to a search."""
    documents, after = {}, None
    while True:
        query = {"size": 2000, "sort": [{"id": "asc"}], "_source": ["id", "rev", "tombstone", "body"]}
        if after:
            query["search_after"] = after
        hits = search(index, query)["hits"]["hits"]
        for hit in hits:
            source = hit["_source"]
            digest = hashlib.md5(source["body"].encode()).hexdigest()
            documents[source["id"]] = (source["rev"], digest, source["tombstone"])
        if len(hits) < 2000:
            return documents
        after = hits[-1]["sort"]


def search(index, query):
    return ask("POST", f"/{index}/_search", query)


def ask(method, path, body=None):
    """Asks the nodes of the search server in turn, because one may be down."""
    error = None
    for url in os.environ["A4C_TEST_ELASTICSEARCH_URLS"].split(","):
        request = urllib.request.Request(url + path, None if body is None else json.dumps(body).encode(),
                                         {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except OSError as failed:
            error = failed
    raise error


def index_differs(schema, index):
    """Why the index is not the store, or nothing."""
    stored, indexed = stored_documents(schema), indexed_documents(index)
    if stored == indexed:
        return ""
    differing = [key for key in stored.keys() | indexed.keys() if stored.get(key) != indexed.get(key)]
    examples = [(key, stored.get(key), indexed.get(key)) for key in differing[:3]]
    return f"{len(differing)} of {len(stored)} records differ (id, store, index): {examples}"
