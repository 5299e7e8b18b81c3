"""What is lost, stale or brought back in the index when the sync is killed: PGSync and ours under one schedule.

    python faults.py SYNC_SUBJECT URL SEED CHANGES KILLS     a row of JSON for each; URL: of OpenSearch
"""
from pgsync_run import PgSync  # it makes shared/ known
from fault_run import Peer, main
from servers import Redis


class PgSyncPeer(Peer):
    name = "PGSync 7.3.0"

    def __init__(self, url):
        super().__init__()
        self.redis = Redis()
        self.pgsync = PgSync(self.postgres, self.redis, url)
        self.index = self.pgsync.index
        self.pgsync.run("bootstrap")

    def start(self):
        self.process = self.pgsync.start("-d")

    def stop(self):
        self.redis.stop()
        super().stop()


main(PgSyncPeer)
