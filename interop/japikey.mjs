// The published japikey packages and jose, spoken to over standard input and output.
//
// Each line of input is one JSON command with a member `do`; each is answered, in the order in which they came, by
// one line of JSON. An `id` in the command comes back in its answer. What a peer refuses is answered with
// `{"ok":false,"name":…,"type":…,"status":…,"message":…}`; a command that could not be carried out at all with
// `{"ok":false,"broken":…}`, so that a test never takes its own mistake for a refusal. The process ends with its
// input, and its servers with it.
//
// `uuid` is among our dependencies because `@japikey/authenticate` and `@japikey/cloudflare` import it without saying so.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { authenticate, createGetJWKS, shouldAuthenticate } from '@japikey/authenticate';
import { createApiKey } from '@japikey/japikey';
import * as jose from 'jose';
import { documents, routers, stopServers } from './servers.mjs';
import { sign } from './signer.mjs';

const commands = {
  /** Which peers these are. */
  versions() {
    const manifest = (name) => new URL(`./node_modules/${name}/package.json`, import.meta.url);
    const version = (name) => JSON.parse(readFileSync(manifest(name))).version;
    const names = ['@japikey/japikey', '@japikey/authenticate', '@japikey/cloudflare', 'jose'];
    return { ok: true, node: process.versions.node, ...Object.fromEntries(names.map((name) => [name, version(name)])) };
  },

  /** Mints a key with the published signer. An absent `aud` stays absent; `expires_at` is what `new Date` reads. */
  mint({ claims = {}, sub, iss, aud, expires_at }) {
    const options = { sub, iss: new URL(iss), aud, expiresAt: new Date(expires_at) };
    return orRefusal(async () => {
      const { jwt, jwk, kid } = await createApiKey(claims, options);
      return { ok: true, token: jwt, jwk, kid };
    });
  },

  /** Verifies as a service would that uses the published client, its key fetched over the network. */
  verify({ token, base_issuer, options = {}, jwks_options }) {
    const baseIssuer = new URL(base_issuer);
    const getJWKS = createGetJWKS(baseIssuer, jwks_options);
    return orRefusal(async () => {
      const claims = await authenticate(token, { baseIssuer, getJWKS, verifyOptions: options });
      return { ok: true, claims };
    });
  },

  /** Whether the published client takes the token for one of its own, from its text alone. */
  should_authenticate({ token, base_issuer }) {
    return { ok: true, answer: shouldAuthenticate(token, new URL(base_issuer)) };
  },

  /** Verifies with jose alone, which unlike the client knows ES256 and EdDSA. The key is a JWK, a JWKS or its URL. */
  jose_verify({ token, jwks_url, jwk, jwks, algorithms = ['RS256', 'ES256', 'EdDSA'], options = {} }) {
    return orRefusal(async () => {
      const key = await verificationKey({ jwks_url, jwk, jwks }, algorithms);
      const verified = await jose.jwtVerify(token, key, { ...options, algorithms });
      return { ok: true, claims: verified.payload, header: verified.protectedHeader };
    });
  },

  /** Signs what the published signer never would: see `signer.mjs`. */
  async sign(command) {
    return { ok: true, ...(await sign(command)) };
  },

  /** Publishes a JWKS document for the key, on a server that the first call starts. Without `jwk` it only starts. */
  async serve_jwks({ jwk, max_age = 60, path = '' }) {
    const url = await documents.start();
    if (jwk) {
      documents.publish(path, jwk, max_age);
    }
    return { ok: true, url, base_issuer: `${url}${path}` };
  },

  /** Takes a document away, as a revocation does. */
  withdraw_jwks({ kid, path = '' }) {
    return { ok: true, removed: documents.withdraw(path, kid) };
  },

  /** How often each path was asked for, found or not, since the process started. */
  jwks_requests() {
    return { ok: true, requests: Object.fromEntries(documents.requests) };
  },

  /** Starts the published key and JWKS routers: see `servers.mjs`. */
  async routers(command) {
    return { ok: true, ...(await routers(command)) };
  },
};

async function verificationKey({ jwks_url, jwk, jwks }, algorithms) {
  if (jwks_url) {
    return jose.createRemoteJWKSet(new URL(jwks_url));
  }
  return jwks ? jose.createLocalJWKSet(jwks) : jose.importJWK(jwk, algorithms[0]);
}

/** What the work answers, or what the peer said no with: `cause` is the error beneath, mostly one of jose's. */
async function orRefusal(work) {
  try {
    return await work();
  } catch (error) {
    const { code, errorType, message, cause } = error;
    return {
      ok: false,
      name: error.constructor.name,
      type: errorType ?? code ?? null,
      status: typeof code === 'number' ? code : null,
      message,
      cause: cause && { name: cause.constructor.name, code: cause.code ?? null, message: cause.message },
    };
  }
}

async function answer(line) {
  let id;
  try {
    const command = JSON.parse(line);
    id = command.id;
    if (!Object.hasOwn(commands, command.do)) {
      throw new Error(`no such command: ${command.do}`);
    }
    return { id, ...(await commands[command.do](command)) };
  } catch (error) {
    return { id, ok: false, broken: `${error.constructor.name}: ${error.message}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() !== '') {
    process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
  }
}
stopServers();
