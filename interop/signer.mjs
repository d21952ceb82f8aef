// A signer without opinions, for tokens that no honest peer would make.

const PARAMETERS = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
};

/**
 * Signs a header and a payload with `alg`, whatever the header says, by the private JWK given or by a pair made for this
 * call (RSA of `bits`). Given as text they are signed as they stand; a header given as an object begins with `alg` and
 * `kid` unless it has its own.
 *
 * Returns the token, and the public and the private JWK.
 */
export async function sign({ header = {}, payload, alg = 'RS256', kid, bits = 2048, private_jwk }) {
  const pair = private_jwk ?? (await generate(alg, bits));
  const key = await crypto.subtle.importKey('jwk', pair, PARAMETERS[alg], false, ['sign']);
  const input = `${encoded(typeof header === 'string' ? header : { alg, kid, ...header })}.${encoded(payload)}`;
  const signature = await crypto.subtle.sign(PARAMETERS[alg], key, Buffer.from(input));
  const token = `${input}.${Buffer.from(signature).toString('base64url')}`;
  return { token, jwk: { ...publicMembers(pair), kid }, private_jwk: pair };
}

async function generate(alg, modulusLength) {
  const parameters = { ...PARAMETERS[alg], modulusLength, publicExponent: new Uint8Array([1, 0, 1]) };
  const { privateKey } = await crypto.subtle.generateKey(parameters, true, ['sign', 'verify']);
  const { key_ops, ext, alg: _, ...members } = await crypto.subtle.exportKey('jwk', privateKey);
  return members;
}

function publicMembers({ kty, n, e, crv, x, y }) {
  return { kty, n, e, crv, x, y };
}

function encoded(part) {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}
