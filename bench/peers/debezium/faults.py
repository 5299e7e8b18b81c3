"""What is lost, stale or brought back in the index when the sync is killed: Debezium and ours under one schedule.

    bench/peers/debezium/install     the last line is the command of this, without its arguments
    ... SYNC_SUBJECT URL SEED CHANGES KILLS     a row of JSON for each; URL: of OpenSearch
"""
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "shared"))

from documents import TABLE, Index  # noqa: E402
from fault_run import Peer, main  # noqa: E402

NAME = "debezium"  # of the slot and of the publication


class DebeziumPeer(Peer):
    name = "Debezium 3.6.1"
    home = HERE.parents[2] / "build/peers/debezium-3.6.1.Final"

    def __init__(self, url):
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="a4c-debezium-run-")
        self.index = Index(url, f"debezium_{self.postgres.port}")
        self.index.make()
        self.postgres.sql(f"CREATE PUBLICATION {NAME} FOR TABLE {TABLE}")
        self.postgres.sql(f"SELECT pg_create_logical_replication_slot('{NAME}', 'pgoutput')")

    def start(self):
        command = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.showDateTime=true", "-cp",
                   f"{self.home}/classes:{self.home}/jars/*", "TableToIndex", self.folder, str(self.postgres.port), TABLE,
                   f"{self.index.url}/{self.index.name}"]
        with open(f"{self.folder}/log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)


main(DebeziumPeer)
