// Base58 of exactly 16 bytes, which every identifier is. A general codec costs some microseconds an
// id, which the read path would pay several times a request; this one works on five-digit groups.

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const GROUP = 58 ** 5;
const DIGITS = 22;

const valueOf = new Int8Array(128).fill(-1);
for (let i = 0; i < ALPHABET.length; i++) valueOf[ALPHABET.charCodeAt(i)] = i;

/** The 22 characters of 16 bytes whose first byte is at least 0x80 (smaller ones would be shorter). */
export function encodeBase58(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const limbs = [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
  let text = "";
  while (text.length < DIGITS) {
    let remainder = 0;
    for (let i = 0; i < 4; i++) {
      // remainder < 58^5 < 2^30, so the sum stays below 2^62: split to keep it exact
      const high = remainder * 65_536 + (limbs[i] >>> 16);
      const highQuotient = Math.floor(high / GROUP);
      const low = (high - highQuotient * GROUP) * 65_536 + (limbs[i] & 0xffff);
      const lowQuotient = Math.floor(low / GROUP);
      limbs[i] = highQuotient * 65_536 + lowQuotient;
      remainder = low - lowQuotient * GROUP;
    }
    for (let digit = 0; digit < 5 && text.length < DIGITS; digit++) {
      const quotient = Math.floor(remainder / 58);
      text = ALPHABET[remainder - quotient * 58] + text;
      remainder = quotient;
    }
  }
  return text;
}

/** The 16 bytes of 22 base58 characters, or undefined if it is anything else. */
export function decodeBase58(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length !== DIGITS) return undefined;
  const limbs = [0, 0, 0, 0];
  for (let at = 0; at < DIGITS; at++) {
    const code = text.charCodeAt(at);
    const digit = code < 128 ? valueOf[code] : -1;
    if (digit < 0) return undefined;
    let carry = digit;
    for (let i = 3; i >= 0; i--) {
      const sum = limbs[i] * 58 + carry;
      carry = Math.floor(sum / 2 ** 32);
      limbs[i] = sum % 2 ** 32;
    }
    if (carry > 0) return undefined;
  }
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  limbs.forEach((limb, i) => view.setUint32(i * 4, limb));
  return bytes;
}
