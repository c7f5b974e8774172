// Ed25519 in a browser, by the one rule that stands in crates/tlog/src/ed25519.rs.
//
// `crypto.subtle` computes the equation. What a browser does with points of small order, with points outside the prime-order
// group and with encodings that are not canonical is its own affair and differs; so rules 1 and 2 are applied here first, in
// BigInt arithmetic. After them, the equations with and without cofactor are one and the same, and it does not matter which of
// them the browser computes. The arithmetic takes about 5 ms for each signature. It need not run in constant time: nothing
// here is secret.
//
// No dependencies; works from a file, without a server. Put it into a page as an ordinary script:
//
//     await ed25519.verify(keyBytes, message, signature)    // three Uint8Array; true or false, never an exception
//
// Where the browser has no Ed25519 (`ed25519.isSupported()` is false), every answer is false.
'use strict';

const ed25519 = (() => {
  // RFC 8032, section 5.1: the field, the curve -x^2 + y^2 = 1 + d x^2 y^2, and the order of its prime-order group.
  const P = 2n ** 255n - 19n;
  const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

  const mod = (a) => ((a % P) + P) % P;

  function power(base, exponent) {
    let result = 1n;
    for (let square = mod(base); exponent > 0n; exponent >>= 1n) {
      if (exponent & 1n) result = (result * square) % P;
      square = (square * square) % P;
    }
    return result;
  }

  const D = mod(-121665n * power(121666n, P - 2n));
  const SQRT_MINUS_ONE = power(2n, (P - 1n) / 4n);

  /** The integer of these bytes, least first. */
  function integer(bytes) {
    let hex = '';
    for (let i = bytes.length - 1; i >= 0; i -= 1) hex += bytes[i].toString(16).padStart(2, '0');
    return BigInt(`0x${hex}`);
  }

  /** The affine point of 32 bytes, or null where they are not its canonical encoding. RFC 8032, section 5.1.3. */
  function decode(bytes) {
    const sign = bytes[31] >> 7;
    const y = integer(bytes) & (2n ** 255n - 1n);
    if (y >= P) return null;
    // x^2 = u / v; the root is u v^3 (u v^7)^((p-5)/8), perhaps times the root of -1.
    const u = mod(y * y - 1n);
    const v = mod(D * y * y + 1n);
    const v3 = mod(v * v * v);
    let x = mod(u * v3 * power(u * v3 * v3 * v, (P - 5n) / 8n));
    if (mod(v * x * x) !== u) x = mod(x * SQRT_MINUS_ONE);
    if (mod(v * x * x) !== u) return null;
    if (x === 0n && sign === 1) return null;
    if (Number(x & 1n) !== sign) x = P - x;
    return { x, y };
  }

  // Extended coordinates, RFC 8032, section 5.1.4: x = X/Z, y = Y/Z, xy = T/Z.
  function add(a, b) {
    const A = mod((a.Y - a.X) * (b.Y - b.X));
    const B = mod((a.Y + a.X) * (b.Y + b.X));
    const C = mod(2n * a.T * D * b.T);
    const E = B - A;
    const F = 2n * a.Z * b.Z - C;
    const G = 2n * a.Z * b.Z + C;
    const H = B + A;
    return { X: mod(E * F), Y: mod(G * H), Z: mod(F * G), T: mod(E * H) };
  }

  function double(a) {
    const A = mod(a.X * a.X);
    const B = mod(a.Y * a.Y);
    const H = A + B;
    const E = H - (a.X + a.Y) ** 2n;
    const G = A - B;
    const F = 2n * a.Z * a.Z + G;
    return { X: mod(E * F), Y: mod(G * H), Z: mod(F * G), T: mod(E * H) };
  }

  /** Whether 32 bytes are the canonical encoding of a point of the prime-order group other than the neutral element. */
  function isPrimeOrder(bytes) {
    const point = decode(bytes);
    if (point === null || (point.x === 0n && point.y === 1n)) return false;
    const base = { X: point.x, Y: point.y, Z: 1n, T: mod(point.x * point.y) };
    let sum = { X: 0n, Y: 1n, Z: 1n, T: 0n };
    for (const bit of ORDER.toString(2)) {
      sum = double(sum);
      if (bit === '1') sum = add(sum, base);
    }
    return sum.X === 0n && sum.Y === sum.Z;
  }

  /** Answers of rule 1 and imported keys, by the bytes of the key. A page reads few keys. */
  const keys = new Map();

  function importKey(bytes) {
    const name = integer(bytes).toString(16);
    if (!keys.has(name)) {
      keys.set(name, isPrimeOrder(bytes)
        ? crypto.subtle.importKey('raw', bytes, { name: 'Ed25519' }, false, ['verify']).catch(() => null)
        : Promise.resolve(null));
    }
    return keys.get(name);
  }

  /** Whether the signature of the message is valid under the rule. */
  async function verify(keyBytes, message, signature) {
    if (keyBytes.length !== 32 || signature.length !== 64) return false;
    // Rule 2: S below the order of the group; R canonical, in the prime-order group, not neutral.
    if (integer(signature.subarray(32)) >= ORDER) return false;
    const key = await importKey(keyBytes);
    if (key === null || !isPrimeOrder(signature.subarray(0, 32))) return false;
    return crypto.subtle.verify({ name: 'Ed25519' }, key, signature, message).catch(() => false);
  }

  /** Whether this browser knows Ed25519 and lets this page use it. */
  async function isSupported() {
    if (typeof crypto === 'undefined' || crypto.subtle === undefined) return false;
    // The base point, which is a public key as good as any.
    const base = new Uint8Array(32).fill(0x66);
    base[0] = 0x58;
    return crypto.subtle.importKey('raw', base, { name: 'Ed25519' }, false, ['verify']).then(() => true, () => false);
  }

  return { verify, isSupported };
})();
