// The price of a try at a password while many are being guessed (trust/identity/work.go). The page brings:
//   <form data-work="/path" data-working="…"> with fields "login" and "work", and <p id="work-status" role="status">
// Before the form goes, this asks the path for a puzzle for the login, and gets {"seal", "bits"} or {}. It then looks for a
// number such that the SHA-256 of seal, a dot and the number begins with so many zero bits, in slices that leave the page
// usable, and puts the answer into "work". Whatever fails, the form goes, and the server's own page says what to do.
const csrf = () => document.querySelector<HTMLMetaElement>('meta[name="csrf"]')?.content ?? "";

// SHA-256 of at most two blocks; the first is the same for every number and is done once.
const K: number[] = [], H: number[] = [];
for (let n = 2; K.length < 64; n++) {
  let prime = true;
  for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
  if (!prime) continue;
  if (H.length < 8) H.push((Math.sqrt(n) * 2 ** 32) | 0);
  K.push((Math.cbrt(n) * 2 ** 32) | 0);
}
const w = new Int32Array(64);
const block = (from: ArrayLike<number>, b: DataView) => {
  for (let i = 0; i < 16; i++) w[i] = b.getInt32(4 * i);
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15], y = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) +
      (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10));
  }
  let [a, b1, c, d, e, f, g, h] = from as number[];
  for (let i = 0; i < 64; i++) {
    const t = (h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const u = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b1) ^ (a & c) ^ (b1 & c))) | 0;
    h = g; g = f; f = e; e = (d + t) | 0; d = c; c = b1; b1 = a; a = (t + u) | 0;
  }
  return [a, b1, c, d, e, f, g, h].map((v, i) => (v + from[i]) | 0);
};

const solve = async (seal: string, bits: number) => {
  const text = seal + ".";
  if (text.length < 64 || text.length > 100) return "";
  const data = new Uint8Array(128), first = new DataView(data.buffer, 0, 64), second = new DataView(data.buffer, 64);
  for (let i = 0; i < text.length; i++) data[i] = text.charCodeAt(i);
  const half = block(H, first);
  for (let n = 0; n < 2 ** 28; ) {
    for (const end = performance.now() + 12; performance.now() < end; )
      for (let k = 0; k < 500; k++, n++) {
        const digits = String(n);
        let at = text.length;
        for (let i = 0; i < digits.length; i++) data[at++] = digits.charCodeAt(i);
        data[at] = 0x80;
        second.setUint32(60, at * 8);
        if (Math.clz32(block(half, second)[0]) >= bits) return text + n;
      }
    await new Promise((r) => setTimeout(r));
  }
  return "";
};

for (const f of document.querySelectorAll<HTMLFormElement>("form[data-work]")) {
  let busy = false;
  f.addEventListener("submit", async (e) => {
    e.preventDefault();
    if (busy) return;
    busy = true;
    const field = (name: string) => f.elements.namedItem(name) as HTMLInputElement;
    try {
      const r = await fetch(f.dataset.work!, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF": csrf() },
        body: JSON.stringify({ login: field("login").value }),
      });
      const p = await r.json();
      if (p.seal) {
        document.getElementById("work-status")!.textContent = f.dataset.working!;
        field("work").value = await solve(p.seal, p.bits);
      }
    } catch {}
    f.submit();
  });
}

export {};
