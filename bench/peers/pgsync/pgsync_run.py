"""PGSync over one table of documents, as its own documentation sets it up."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "shared"))

from documents import COLUMNS, TABLE, Index  # noqa: E402


def write_documents(postgres, path):
    """Lines of id, tab, JSON body become rows, or change them, 500 a commit as the bench writes ours."""
    names = ", ".join(COLUMNS)
    postgres.sql("CREATE TABLE IF NOT EXISTS given (id text, body text)")
    postgres.sql("TRUNCATE given")
    with open(path, encoding="utf-8") as lines:
        postgres.sql("COPY given FROM STDIN WITH (DELIMITER E'\\t', FORMAT csv, QUOTE E'\\x01', ESCAPE E'\\x01')",
                     lines.read())
    postgres.sql(
        f"""DO $$ DECLARE part bigint; parts bigint; BEGIN
              SELECT count(*) / 500 FROM given INTO parts;
              FOR part IN 0..parts LOOP
                INSERT INTO {TABLE} (id, {names})
                SELECT g.id, {', '.join('r.' + name for name in COLUMNS)}
                FROM (SELECT * FROM given ORDER BY id OFFSET part * 500 LIMIT 500) g,
                     jsonb_populate_record(NULL::{TABLE}, g.body::jsonb) r
                ON CONFLICT (id) DO UPDATE SET
                  {', '.join(f'{name} = EXCLUDED.{name}' for name in COLUMNS)};
                COMMIT;
              END LOOP;
            END $$""")


class PgSync:
    """url: of the search engine, which has to be OpenSearch."""

    def __init__(self, postgres, redis, url):
        self.index = Index(url, f"pgsync_{postgres.port}")
        self.folder = tempfile.mkdtemp(prefix="a4c-pgsync-run-")
        server = urllib.parse.urlparse(url)
        self.environment = dict(
            os.environ, PG_URL=postgres.uri, PG_HOST="127.0.0.1", PG_PORT=str(postgres.port), PG_USER="postgres",
            REDIS_HOST="127.0.0.1", REDIS_PORT=str(redis.port), OPENSEARCH="true", ELASTICSEARCH="false",
            ELASTICSEARCH_HOST=server.hostname, ELASTICSEARCH_PORT=str(server.port), ELASTICSEARCH_SCHEME="http",
            CHECKPOINT_PATH=self.folder, LOG_LEVEL="ERROR", CONSOLE_LOGGING_HANDLER_MIN_LEVEL="ERROR")
        schema = [{"database": "postgres", "index": self.index.name,
                   "nodes": {"table": TABLE, "columns": ["id", *COLUMNS]}}]
        self.schema = f"{self.folder}/schema.json"
        with open(self.schema, "w", encoding="utf-8") as file:
            json.dump(schema, file)

    def command(self, program, *arguments):
        return [sys.executable, os.path.join(os.path.dirname(sys.executable), program), "-c", self.schema, *arguments]

    def run(self, program, *arguments):
        with open(f"{self.folder}/log", "a", encoding="utf-8") as log:
            subprocess.run(self.command(program, *arguments), check=True, cwd=self.folder, env=self.environment,
                           stdout=log, stderr=log)

    def start(self, *arguments):
        with open(f"{self.folder}/log", "a", encoding="utf-8") as log:
            return subprocess.Popen(self.command("pgsync", *arguments), cwd=self.folder, env=self.environment,
                                    stdout=log, stderr=log)
