// What signed keys cost in Node, as JSON lines: one per item, operations per second of processor time, all threads of
// the process counted, with the wall-clock median of one operation beside it.
//
//     node bench.mjs [--seconds 3] [--concurrency 1]

import { parseArgs } from 'node:util';
import { authenticate } from '@japikey/authenticate';
import { createApiKey } from '@japikey/japikey';
import * as jose from 'jose';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '3' }, concurrency: { type: 'string', default: '1' } },
});
const seconds = Number(values.seconds);
const concurrency = Number(values.concurrency);

const baseIssuer = new URL('https://keys.example.com/jwks');
const mint = () =>
  createApiKey(
    { scopes: ['read', 'write'] },
    { sub: 'user-1', iss: baseIssuer, aud: 'api-key', expiresAt: new Date(Date.now() + 86_400_000) },
  );
const { jwt, jwk, kid } = await mint();
const key = await jose.importJWK(jwk, 'RS256');
const keySets = new Map([[kid, jose.createLocalJWKSet({ keys: [jwk] })]]);
const options = { baseIssuer, getJWKS: ({ kid }) => keySets.get(kid) };

await measure('jose.jwtVerify', () => jose.jwtVerify(jwt, key, { algorithms: ['RS256'] }));
await measure('authenticate', () => authenticate(jwt, options));
await measure('createApiKey', mint);

async function measure(item, operation) {
  await repeat(operation, Math.min(seconds / 4, 1));
  const before = process.cpuUsage();
  const started = performance.now();
  const latencies = (await Promise.all(Array.from({ length: concurrency }, () => repeat(operation, seconds)))).flat();
  const wall = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  const cpu = (user + system) / 1_000_000;
  const median = latencies.sort((a, b) => a - b)[Math.floor(latencies.length / 2)];
  const line = {
    item,
    operations: latencies.length,
    per_cpu_second: Math.round((latencies.length / cpu) * 10) / 10,
    cpu_us: Math.round((cpu / latencies.length) * 10_000_000) / 10,
    p50_us: Math.round(median * 10_000) / 10,
    wall_seconds: Math.round(wall * 1000) / 1000,
    cpu_seconds: Math.round(cpu * 1000) / 1000,
    concurrency,
    node: process.versions.node,
  };
  console.log(JSON.stringify(line));
}

/** Does it over and over for that long, and returns how many milliseconds each took. */
async function repeat(operation, seconds) {
  const latencies = [];
  const end = performance.now() + seconds * 1000;
  for (let now = performance.now(); now < end; ) {
    await operation();
    const then = now;
    now = performance.now();
    latencies.push(now - then);
  }
  return latencies;
}
