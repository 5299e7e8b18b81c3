// One round of the peer of claims_bench: Graphile Worker does JOBS jobs that do nothing, in PROCESSES
// processes, with the settings of its own performance test (perfTest/graphile.config.js: 24 jobs at a
// time, a local queue of 500, completions in batches at once).
//
//   node round.cjs 'host=... port=... dbname=... user=...' JOBS PROCESSES
//
// The processes are up, connected and warm before the clock starts. The last line is JSON.
'use strict';
const { fork } = require('child_process');
const { Client } = require('pg');
const { runMigrations, runOnce } = require('graphile-worker');

const CONCURRENT_JOBS = 24;
const WARM_JOBS = 5000;
const SCHEMA = 'graphile_worker_bench';

const taskList = { nothing: async () => {} };

// The server of a libpq connection string that answers read-write, as a URI: what node-pg reads.
async function primaryOf(dsn) {
  const words = Object.fromEntries(dsn.split(' ').map((word) => word.split(/=(.*)/s)));
  const ports = words.port.split(',');
  for (const [i, host] of words.host.split(',').entries()) {
    const uri = `postgres://${words.user}@${host}:${ports[i]}/${words.dbname}`;
    const client = new Client({ connectionString: uri });
    try {
      await client.connect();
      const { rows } = await client.query('SELECT pg_is_in_recovery() AS standby');
      if (!rows[0].standby) return uri;
    } catch {
      // The next one.
    } finally {
      await client.end().catch(() => {});
    }
  }
  throw new Error('no server of the connection string answers read-write');
}

function presetOf(uri) {
  return {
    worker: {
      connectionString: uri,
      schema: SCHEMA,
      concurrentJobs: CONCURRENT_JOBS,
      maxPoolSize: CONCURRENT_JOBS + 1,
      localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
      gracefulShutdownAbortTimeout: 2500,
      logger: quietLogger(),
    },
  };
}

function quietLogger() {
  const { Logger } = require('graphile-worker');
  return new Logger(() => (level, message) => {
    if (level === 'error') console.error(message);
  });
}

// A process that works when it is told to.
async function work(uri) {
  const preset = presetOf(uri);
  await runOnce({ preset, taskList });
  process.on('message', async (message) => {
    if (message === 'stop') process.exit(0);
    await runOnce({ preset, taskList });
    process.send('done');
  });
  process.send('done');
}

const answerOf = (child) =>
  new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`a worker process ended with ${code}`)));
  });

async function allWork(children) {
  const answers = children.map(answerOf);
  children.forEach((child) => child.send('go'));
  await Promise.all(answers);
}

async function schedule(client, jobs) {
  await client.query(
    `SELECT count(*) FROM ${SCHEMA}.add_jobs(ARRAY(
       SELECT json_populate_record(NULL::${SCHEMA}.job_spec,
         json_build_object('identifier', 'nothing', 'payload', json_build_object('id', i)))
       FROM generate_series(1, $1::int) i))`, [jobs]);
  await client.query(`VACUUM ANALYZE ${SCHEMA}._private_jobs`);
}

async function round(dsn, jobs, processes) {
  const uri = await primaryOf(dsn);
  const client = new Client({ connectionString: uri });
  await client.connect();
  await client.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
  await runMigrations({ preset: presetOf(uri) });
  const children = Array.from({ length: processes }, () => fork(__filename, ['work', uri]));
  await Promise.all(children.map(answerOf));
  await schedule(client, WARM_JOBS);
  await allWork(children);
  await schedule(client, jobs);
  const begun = process.hrtime.bigint();
  await allWork(children);
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  const { rows } = await client.query(`SELECT count(*)::int AS left FROM ${SCHEMA}._private_jobs`);
  if (rows[0].left !== 0) throw new Error(`${rows[0].left} jobs were left`);
  await client.query(`DROP SCHEMA ${SCHEMA} CASCADE`);
  await client.end();
  children.forEach((child) => { child.removeAllListeners('exit'); child.send('stop'); });
  console.log(JSON.stringify({ jobs, processes, seconds }));
}

const [, , first, second, third] = process.argv;
process.removeAllListeners('warning');
const main = first === 'work' ? work(second) : round(first, Number(second), Number(third));
main.catch((error) => { console.error(error); process.exit(1); });
