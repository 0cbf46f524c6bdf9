// The demo's people, and how they sign in. A code counts once in its 30 seconds, so everybody signs in once and their
// session is used from then on.
import { createHmac } from "node:crypto";

const period = 30_000;

// code is RFC 6238: six digits of now. lateBy waits for the next code first, where this one was used already.
export function code(secret, at = Date.now()) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = "";
  for (const c of secret) bits += alphabet.indexOf(c).toString(2).padStart(5, "0");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / period)));
  const mac = createHmac("sha1", key).update(counter).digest();
  const offset = mac[19] & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const used = new Map();

// freshCode waits until the person has a code that was not used yet.
export async function freshCode(person) {
  const last = used.get(person.login) ?? 0;
  while (Math.floor(Date.now() / period) <= last) await new Promise((r) => setTimeout(r, 500));
  used.set(person.login, Math.floor(Date.now() / period));
  return code(person.totp);
}

export async function signIn(page, person, { shared = false } = {}) {
  await page.goto("/signin");
  await page.fill("[name=login]", person.login);
  await page.fill("[name=password]", person.password);
  if (shared) await page.check("[name=shared]");
  await page.click("form[action='/signin/password'] button[type=submit]");
  await page.waitForURL("**/signin/code**");
  await page.fill("[name=code]", await freshCode(person));
  await page.click("form[action='/signin/code'] button[type=submit]");
  await page.waitForURL((u) => !u.pathname.startsWith("/signin"));
}

export const cookiesOf = (session) => session.cookies.map((c) => `${c.name}=${c.value}`).join("; ");
