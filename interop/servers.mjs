// What peers serve over HTTP: JWKS documents of our choosing, and the published routers. All on free ports of 127.0.0.1.

import { createServer } from 'node:http';
import { createApiKeyRouter, createJWKSRouter } from '@japikey/cloudflare';
import { TRUNCATE_TABLE_ONLY_USE_FOR_UNIT_TESTS } from '@japikey/shared';

const servers = [];

/** One server of JWKS documents, each at `{path}/{kid}/.well-known/jwks.json`. */
export const documents = {
  requests: new Map(),
  found: new Map(),
  url: undefined,

  async start() {
    this.url ??= await listen((request, response) => this.answer(request, response));
    return this.url;
  },

  publish(path, jwk, maxAge) {
    this.found.set(documentPath(path, jwk.kid), { body: JSON.stringify({ keys: [jwk] }), maxAge });
  },

  withdraw(path, kid) {
    return this.found.delete(documentPath(path, kid));
  },

  answer(request, response) {
    const { pathname } = new URL(request.url, 'http://localhost');
    this.requests.set(pathname, (this.requests.get(pathname) ?? 0) + 1);
    const document = this.found.get(pathname);
    if (document) {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': `max-age=${document.maxAge}` });
      response.end(document.body);
    } else {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"error":{"type":"not_found","message":"API key not found"}}');
    }
  },
};

/**
 * Starts the published routers over rows in memory: keys under `/api-keys`, documents under `/jwks`. `x-user-id` names
 * the user; the body of a creation is `{expires_at, claims?, metadata?}`, read without a check, since the router leaves
 * that to the application. They are the ones made for Workers: those made for Express are not on the registry.
 */
export async function routers({ aud = 'api-key', max_age }) {
  const routes = {};
  const url = await listen(overFetch((request, path) => routes[path.startsWith('/jwks/') ? 'jwks' : 'keys'].fetch(request)));
  const issuer = new URL(`${url}/jwks`);
  const db = memoryDriver();
  routes.keys = createApiKeyRouter({
    routePrefix: '/api-keys',
    issuer,
    aud,
    db,
    getUserId: async (request) => request.headers.get('x-user-id'),
    parseCreateApiKeyRequest: async (request) => {
      const { expires_at, claims = {}, metadata = {} } = await request.json();
      return { expiresAt: new Date(expires_at), claims, databaseMetadata: metadata };
    },
  });
  routes.jwks = createJWKSRouter({ baseIssuer: issuer, db, maxAgeSeconds: max_age });
  return { url, keys: `${url}/api-keys`, base_issuer: issuer.href };
}

/** Ends every server at once, connections included. */
export function stopServers() {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
}

function documentPath(path, kid) {
  return `${path}/${kid}/.well-known/jwks.json`;
}

/** Rows in memory, with the observable behaviour of the published drivers. */
function memoryDriver() {
  const rows = new Map();
  return {
    async ensureTable() {},
    async insertApiKey(row) {
      rows.set(row.kid, row);
    },
    async getApiKey(kid) {
      return rows.get(kid) ?? null;
    },
    async findApiKeys(user_id, limit = Infinity, offset = 0) {
      return [...rows.values()].filter((row) => row.user_id === user_id).slice(offset, offset + limit);
    },
    async revokeApiKey({ user_id, kid }) {
      const row = rows.get(kid);
      if (row?.user_id === user_id) {
        row.revoked = true;
      }
    },
    async close() {},
    async [TRUNCATE_TABLE_ONLY_USE_FOR_UNIT_TESTS]() {
      rows.clear();
    },
  };
}

/** Lets a handler of fetch's shape answer for Node's server. What it throws becomes a bare 500 that names the class. */
function overFetch(handler) {
  return async (incoming, outgoing) => {
    try {
      const { method, headers } = incoming;
      const body = await bodyOf(incoming);
      const url = new URL(`http://${headers.host}${incoming.url}`);
      const answer = await handler(new Request(url, { method, headers, body }), url.pathname);
      const content = Buffer.from(await answer.arrayBuffer());
      // Its length is told, so that the simplest of clients can read it.
      outgoing.writeHead(answer.status, { ...Object.fromEntries(answer.headers), 'content-length': content.length });
      outgoing.end(content);
    } catch (error) {
      outgoing.writeHead(500, { 'content-length': 0, 'x-thrown': error.constructor.name });
      outgoing.end();
    }
  };
}

async function bodyOf(incoming) {
  const chunks = [];
  for await (const chunk of incoming) {
    chunks.push(chunk);
  }
  return chunks.length > 0 ? Buffer.concat(chunks) : undefined;
}

async function listen(handler) {
  const server = createServer(handler);
  servers.push(server);
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${server.address().port}`;
}
