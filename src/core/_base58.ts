// Base58 of exactly 16 bytes, which every identifier is. A general codec costs some microseconds an
// id, which the read path would pay several times a request; this one works on five-digit groups.

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const GROUP = 58 ** 5;
const DIGITS = 22;
const STEP = 58 ** 3;
const LIMB = 2 ** 32;

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
  // three digits a step: a limb times 58^3 stays below 2^50, and so exact
  let limb0 = 0, limb1 = 0, limb2 = 0, limb3 = digitAt(text, 0);
  let valid = limb3 >= 0;
  for (let at = 1; at < DIGITS; at += 3) {
    const first = digitAt(text, at), second = digitAt(text, at + 1), third = digitAt(text, at + 2);
    valid &&= (first | second | third) >= 0;
    let sum = limb3 * STEP + (first * 58 + second) * 58 + third;
    limb3 = sum >>> 0;
    sum = limb2 * STEP + Math.floor(sum / LIMB);
    limb2 = sum >>> 0;
    sum = limb1 * STEP + Math.floor(sum / LIMB);
    limb1 = sum >>> 0;
    sum = limb0 * STEP + Math.floor(sum / LIMB);
    limb0 = sum >>> 0;
    valid &&= sum < LIMB;
  }
  if (!valid) return undefined;
  const bytes = new Uint8Array(16);
  putLimb(bytes, 0, limb0);
  putLimb(bytes, 4, limb1);
  putLimb(bytes, 8, limb2);
  putLimb(bytes, 12, limb3);
  return bytes;
}

/** The value of a character; negative for one that is no digit. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? valueOf[code] : -1;
}

function putLimb(bytes: Uint8Array, at: number, limb: number): void {
  bytes[at] = limb >>> 24;
  bytes[at + 1] = limb >>> 16;
  bytes[at + 2] = limb >>> 8;
  bytes[at + 3] = limb;
}
