// A made-up practice of its own for one run: a temporary folder, a free port, gone at the end.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import http from "node:http";
import { brotliDecompressSync } from "node:zlib";

export const program = process.env.WELLGATE ?? fileURLToPath(new URL("../../../bin/wellgate", import.meta.url));

const freePort = () =>
  new Promise((resolve, reject) => {
    const s = createServer().once("error", reject);
    s.listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });

export async function openPractice() {
  const dir = mkdtempSync(join(tmpdir(), "wellgate-browser-"));
  const port = await freePort();
  const server = spawn(program, ["demo", "--dir", join(dir, "demo"), "--addr", `localhost:${port}`], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const close = async () => {
    server.kill();
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  await new Promise((resolve, reject) => {
    const hear = (b) => (said += b).includes("is open at") && resolve();
    server.stdout.on("data", hear);
    server.stderr.on("data", hear);
    server.once("error", reject);
    server.once("exit", () => reject(new Error(`${program} ended before it was open:\n${said}`)));
    setTimeout(() => reject(new Error(`${program} is not open after 2 minutes:\n${said}`)), 120_000).unref();
  }).catch(async (e) => {
    await close();
    throw e;
  });
  const demo = JSON.parse(readFileSync(join(dir, "demo", "demo.json"), "utf8"));
  return { origin: `http://localhost:${port}`, people: demo.signins, close };
}

// ask fetches a page as a browser would, and says how many bytes the answer took on the wire.
export function ask(origin, path, cookies = "") {
  return new Promise((resolve, reject) => {
    const headers = { "accept-encoding": "br", "accept-language": "en", cookie: cookies, "sec-fetch-mode": "navigate" };
    http
      .get(new URL(path, origin), { headers }, (r) => {
        const parts = [];
        r.on("data", (b) => parts.push(b)).on("error", reject);
        r.on("end", () => {
          const wire = Buffer.concat(parts);
          const body = r.headers["content-encoding"] === "br" ? brotliDecompressSync(wire) : wire;
          resolve({ status: r.statusCode, headers: r.headers, type: r.headers["content-type"] ?? "", bytes: wire.length, body });
        });
      })
      .on("error", reject);
  });
}
