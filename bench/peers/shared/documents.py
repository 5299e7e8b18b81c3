"""A table of documents in PostgreSQL that the peers bring to an index, and that index as searches see it."""
import json
import urllib.error
import urllib.request

TABLE = "document"
COLUMNS = {"state": "text", "title": "text", "error": "text", "attempts": "bigint", "created_at": "bigint",
           "labels": "jsonb", "spec": "text"}


def make_table(postgres):
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    postgres.sql(f"CREATE TABLE {TABLE} (id text PRIMARY KEY, {columns})")


class Rows:
    """Changes of single rows, each a commit of its own."""

    def __init__(self, postgres):
        import psycopg2
        self.connection = psycopg2.connect(postgres.uri)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()

    def insert(self, name, body):
        self.cursor.execute(
            f"INSERT INTO {TABLE} (id, {', '.join(body)}) VALUES ({', '.join(['%s'] * (len(body) + 1))})",
            (name, *(json.dumps(value) if isinstance(value, dict) else value for value in body.values())))

    def update(self, name, version):
        self.cursor.execute(f"UPDATE {TABLE} SET attempts = %s WHERE id = %s", (version, name))

    def delete(self, name):
        self.cursor.execute(f"DELETE FROM {TABLE} WHERE id = %s", (name,))


class Index:
    """url: of the search engine, which has to be OpenSearch: Elasticsearch does not sort by _id."""

    def __init__(self, url, name):
        self.url = url.rstrip("/")
        self.name = name

    def ask(self, method, path, body=None):
        request = urllib.request.Request(f"{self.url}/{self.name}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:1000]}") from error

    def make(self):
        self.ask("PUT", "")

    def count(self, query):
        self.ask("POST", "/_refresh")
        return self.ask("POST", "/_count", {"query": query})["count"]

    def versions(self):
        """id -> attempts, as searches see it."""
        self.ask("POST", "/_refresh")
        versions, after = {}, None
        while True:
            query = {"size": 5000, "_source": ["id", "attempts"],
                     "sort": [{"_id": {"order": "asc", "unmapped_type": "keyword"}}]}  # an empty index maps nothing
            hits = self.ask("POST", "/_search", query | ({"search_after": after} if after else {}))["hits"]["hits"]
            if not hits:
                return versions
            versions.update((hit["_source"]["id"], hit["_source"]["attempts"]) for hit in hits)
            after = hits[-1]["sort"]

    def drop(self):
        self.ask("DELETE", "")
